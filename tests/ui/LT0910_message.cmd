"$LT" -q -e 'begin { errorf("%d is too much", 5); warnf("careful"); assert(1 == 2, "one is not two"); print(1) }'
