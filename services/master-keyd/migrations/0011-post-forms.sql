-- Forms with a signed policy (POST) are counted apart from presigned URLs.
ALTER TABLE acceptance DROP CONSTRAINT acceptance_mechanism_check;
ALTER TABLE acceptance ADD CONSTRAINT acceptance_mechanism_check CHECK (mechanism IN ('header', 'presigned', 'post-form'));
