-- Records of public keys (AWS4-ECDSA-P256-SHA256): to a region for all services, to an edge for its own.
ALTER TABLE issuance DROP CONSTRAINT issuance_record_rung_check;
ALTER TABLE issuance DROP CONSTRAINT issuance_record_check;
ALTER TABLE issuance ADD CONSTRAINT issuance_rung CHECK (rung IN ('kRegion', 'kService', 'publicKey'));
ALTER TABLE issuance ADD CONSTRAINT issuance_service
  CHECK (rung = 'publicKey' OR (rung = 'kService') = (service IS NOT NULL));
