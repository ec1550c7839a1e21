printf 'begin { print(%s1%s) }' "$(printf '(%.0s' {1..5000})" "$(printf ')%.0s' {1..5000})" | "$LT" -
