"$LT" ./nonexistent.lt
