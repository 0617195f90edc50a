"""What the service keeps: cases (masked), results, feedback, keys, answers by idempotency key."""
