-- Records of kSigning, which regions give to edges that are bound to one purpose.
ALTER TABLE issuance DROP CONSTRAINT issuance_rung;
ALTER TABLE issuance DROP CONSTRAINT issuance_service;
ALTER TABLE issuance ADD CONSTRAINT issuance_rung CHECK (rung IN ('kRegion', 'kService', 'kSigning', 'publicKey'));
ALTER TABLE issuance ADD CONSTRAINT issuance_service
  CHECK (rung = 'publicKey' OR (rung IN ('kService', 'kSigning')) = (service IS NOT NULL));
