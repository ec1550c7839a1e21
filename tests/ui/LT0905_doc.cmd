"$LT" doc hits
