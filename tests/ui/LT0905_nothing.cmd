"$LT" explain a b
