#!/bin/sh
# Makes a SoftHSM token with the keys that seal the secrets, and its PIN, each in a volume of its own, once. SoftHSM
# keeps its keys in files: it shows what an HSM will do, and is none. For production, bring the module of your HSM
# (see docs/custody-pkcs11.md) and leave this out.
set -eu
umask 077
cd /made

[ -e token-pin/pin ] || { head -c 18 /dev/urandom | base64 -w0 >token-pin/new; mv token-pin/new token-pin/pin; }
# Interrupted anywhere, it begins again: nothing was sealed yet.
if [ ! -e token/made ]; then
  rm -rf token/tokens
  mkdir token/tokens
  softhsm2-util --init-token --free --label keyd --pin "$(cat token-pin/pin)" --so-pin "$(head -c 18 /dev/urandom | base64 -w0)"
  node /app/dist/main.js custody pkcs11 init --module /usr/lib/softhsm/libsofthsm2.so --token keyd --key custody-1 \
    --pin-file token-pin/pin
  : >token/made
fi
echo 'the token is in place'
