"$LT" explian LT0101
