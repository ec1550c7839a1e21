$LT check -e "begin { $(seq -f '@a[%g, comm] = hist(pid);' 500 | tr '\n' ' ') }"
