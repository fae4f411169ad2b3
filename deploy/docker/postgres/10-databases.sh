#!/bin/bash
# One database and one role per service, on the first start of an empty volume: no service can reach another's data.
# The entry point of the image sources this file; the passwords come from the environment and are never echoed.
set -euo pipefail

for service in supplier invoice rebate debt notification; do
    variable="${service^^}_DB_PASSWORD"
    psql --username postgres --dbname postgres --quiet --no-psqlrc --set ON_ERROR_STOP=1 \
        --set service="$service" --set password="${!variable:?}" <<'SQL'
CREATE ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
