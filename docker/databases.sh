#!/bin/sh
# Makes a user and a database for each node: run once by the image of PostgreSQL, when its volume is empty.
# A user may connect to his own database and owns all in it; nobody else but the administrator may.
set -eu
SECRETS="${SECRETS:-/run/secrets}"
for name in maker lab utility service; do
    psql --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres \
        --set ON_ERROR_STOP=1 --set name="$name" --set file="$SECRETS/$name-database" <<'SQL'
\set password `cat :'file'`
create role :"name" login password :'password';
create database :"name" owner :"name" encoding 'UTF8' template template0;
revoke connect on database :"name" from public;
SQL
done
