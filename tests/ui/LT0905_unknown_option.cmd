"$LT" --nonsense
