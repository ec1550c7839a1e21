"$LT" --dryrun -e 'begin { }'
