-- The version of the beacon that last told of a change of this access key; 0 when none ever did. Absent: the next beacon
-- is to tell of it, whichever master signs that.
ALTER TABLE access_key ADD COLUMN changed_in bigint DEFAULT 0 CHECK (changed_in >= 0);
CREATE INDEX access_key_to_be_told ON access_key (id) WHERE changed_in IS NULL;

-- The pages of changes that the newest beacon names, and no others. The last one grows until it is full or its day is
-- over; whoever writes has locked the row of feed_beacon.
CREATE TABLE access_key_page (
  number    integer PRIMARY KEY CHECK (number >= 0),
  -- The version of the beacon that first named it in this form.
  edition   bigint NOT NULL CHECK (edition > 0),
  last_date text COLLATE "C" NOT NULL CHECK (last_date ~ '^[0-9]{8}$'),
  jws       text NOT NULL
);
