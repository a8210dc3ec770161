#!/bin/sh
# Makes what custody-signer needs and does not have yet: its certificate, and the key that opens the seals of secrets.
# Its public half lands in a volume of its own, for the master. Run again, it renews the certificate when it has less
# than a third of its life left (with RENEW=all in any case) and makes nothing twice.
# For production, make the key where you can keep a copy of it offline (see docs/custody.md) and leave this out.
set -eu
umask 077
cd /made
keydctl() { node /app/dist/main.js "$@"; }

if [ -e signer/tls.crt ]; then
  if [ "$RENEW" = all ] || node /deploy/needs-renewal.js signer/tls.crt; then
    keydctl pki renew signer --ca ca --days 30
  fi
else
  keydctl pki issue signer signer-1 --ca ca --out signer --dns custody-signer --days 30
fi
# Interrupted anywhere, it goes on from there; what masters read comes last.
if [ ! -e signer-public-key/signer.pub.jwk ]; then
  [ -e signer-key/signer.pub.jwk ] || { rm -f signer-key/*; keydctl custody signer-key --out signer-key; }
  cp signer-key/signer.pub.jwk signer-public-key/new
  chmod 0444 signer-public-key/new
  mv signer-public-key/new signer-public-key/signer.pub.jwk
fi
chmod 0755 signer-public-key
# An empty volume would be given the owner that its mount point has in the image of the signer.
: >signer-state/made
chown -R "$SIGNER_USER" signer signer-key signer-state
echo 'credentials of the signer are in place'
