#!/bin/sh
# Makes the passwords of the databases, once: docker/make-secrets.sh
# The folder is for its owner alone; its files are readable because other users read them inside the containers.
set -eu
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
chmod 700 "$folder"
for name in postgres maker-database lab-database utility-database service-database; do
    test -e "$folder/$name" && continue
    head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$folder/$name"
    chmod 444 "$folder/$name"
done
