#!/usr/bin/env bash
# Retrain on the cases labelled so far and put the new model into use if it is better. For cron: see crontab beside this.
#   CASES   folder of labelled files (JSONL, CSV, XLSX)
#   MODELS  folder of models with the one in use
#   WORK    folder for runs; an interrupted run goes on at the next call on the same day
# Exit code: 0 a new model is in use, 1 the old one stays, 2 something could not be read.
set -euo pipefail
: "${CASES:?}" "${MODELS:?}" "${WORK:?}"
run="$WORK/$(date +%Y-%m-%d)"
mkdir -p "$run"
exec 9>"$WORK/lock"
flock --nonblock 9 || { echo "another run is at work" >&2; exit 2; }

test -d "$run/model" || triage train "$CASES" --base-model "$MODELS" --out "$run/model" --build "$run/build" ${RECIPE:+--recipe "$RECIPE"}
triage compare "$MODELS" "$run/model" "$CASES" --out "$run/comparison.json" --report "$run/comparison.md" >/dev/null || test $? -eq 1
triage promote "$run/model" "$CASES" --models "$MODELS"
