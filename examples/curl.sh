#!/usr/bin/env bash
# The service with curl. Needs: TRIAGE_API_KEYS=local:triage+review+admin:$KEY triage serve
set -euo pipefail
URL=${URL:-http://127.0.0.1:8000}
ask() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer ${KEY:?}" "$@"; echo; }

ask "$URL/v1/triage" --json '{"id": "T-1", "text": "说好三天退款，这都第三次打电话了，你们领导呢？", "channel": "ticket"}'
# Sent twice with the same Idempotency-Key, it counts once (if the service has a store).
ask "$URL/v1/triage" -H 'Idempotency-Key: ticket-1-v1' --json '{"id": "T-1", "text": "没人管", "customer_key": "C-9"}'
# Each item has its result or its error.
ask "$URL/v1/triage/batch" --json '{"cases": [{"id": "T-2", "text": "行吧，随便你们。"}, {"id": "T-3", "text": ""}]}'
# A call, turn by turn.
ask "$URL/v1/triage" --json '{"channel": "call", "turns": [{"speaker": "agent", "text": "您好，请讲"}, {"speaker": "customer", "text": "我要找你们经理"}]}'
ask "$URL/v1/model" --output /dev/null --write-out '%{http_code}'
ask "$URL/metrics" | head -3
