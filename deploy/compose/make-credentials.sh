#!/bin/sh
# Makes what the Compose stack needs and does not have yet: a certificate authority, a certificate a service, the
# custody key, the keys of the feed and of the ledger, and the database's password. Each lands in a volume of its own,
# which only its owner mounts. Run again, it renews certificates with less than a third of their life left (with RENEW=all
# every one of them) and makes nothing twice.
# Certificates of tiers that are there only with one of the files beside this one are made when their volume is mounted.
# For production, bring your own (see docs/certificates.md) and leave this service out.
set -eu
umask 077
cd /made
keydctl() { node /app/dist/main.js "$@"; }

[ -e ca/ca.crt ] || keydctl pki init --trust-domain "$TRUST_DOMAIN" --out ca

due() { [ "$RENEW" = all ] || node /deploy/needs-renewal.js "$1"; }
certificate() { # certificate FOLDER DNS-NAME IDENTITY...
  folder=$1 dns=$2; shift 2
  [ -w "$folder" ] || return 0
  if [ -e "$folder/tls.crt" ]; then
    if due "$folder/tls.crt"; then keydctl pki renew "$folder" --ca ca --days 30; fi
  else
    keydctl pki issue "$@" --ca ca --out "$folder" --dns "$dns" --days 30
  fi
}
certificate master master-keyd master master-1
certificate master-2 master-keyd-2 master master-2
certificate deputy deputy-keyd deputy deputy-1
certificate operator keydctl operator local
for region in us-east-1 eu-west-1; do
  certificate "region-$region" "region-keyd-$region" region "$region" region-1
  certificate "region-$region-2" "region-keyd-$region-2" region "$region" region-2
  for service in s3 execute-api; do
    certificate "edge-$region-$service" "edge-$region-$service" edge "$region" "$service" edge-1
    certificate "edge-$region-$service-2" "edge-$region-$service-2" edge "$region" "$service" edge-2
  done
done

[ -e custody/custody.key ] || { head -c 32 /dev/urandom | base64 -w0 >custody/new; mv custody/new custody/custody.key; }
if [ ! -e feed-keys/feed-keys.json ]; then
  [ -e feed-root/feed-keys.json ] || { rm -f feed-root/*.jwk; keydctl feed-keys create --out feed-root; }
  # Interrupted anywhere, it goes on from there; the public keys come last.
  for key in revocation beacon; do
    [ ! -e "feed-root/$key.jwk" ] || mv -f "feed-root/$key.jwk" feed-signing/
  done
  cp feed-root/feed-keys.json feed-keys/new
  mv feed-keys/new feed-keys/feed-keys.json
fi
if [ ! -e feed-keys/ledger.pub ]; then
  [ -e ledger-signing/ledger.pub ] || { rm -f ledger-signing/*; keydctl ledger key --trust-domain "$TRUST_DOMAIN" --out ledger-signing; }
  cp ledger-signing/ledger.pub feed-keys/new
  mv feed-keys/new feed-keys/ledger.pub
fi
if [ ! -e database/url ]; then
  password=$(head -c 24 /dev/urandom | base64 -w0 | tr '+/' '-_')
  printf %s "$password" >database-server/password
  chmod 0444 database-server/password
  printf 'postgres://keyd:%s@postgres:5432/keyd' "$password" >database/new
  mv database/new database/url
fi
echo 'credentials are in place'
