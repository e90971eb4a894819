CREATE TABLE schema_migration (
	version  INTEGER PRIMARY KEY,
	name     TEXT NOT NULL,
	checksum TEXT NOT NULL, -- SHA-256 of the SQL as it was applied
	at       BIGINT NOT NULL
);

-- The next id of each table. A number is given once, whatever becomes of the row.
CREATE TABLE counter (
	name TEXT PRIMARY KEY,
	next BIGINT NOT NULL
);

-- Leases of work that only one process at a time may do.
CREATE TABLE lease (
	name  TEXT PRIMARY KEY,
	owner TEXT NOT NULL,
	until BIGINT NOT NULL,
	fence BIGINT NOT NULL
);

-- The bytes of mails as they were received or composed, by their SHA-256.
CREATE TABLE original (
	sha256 TEXT PRIMARY KEY,
	size   BIGINT NOT NULL, -- before compression
	codec  TEXT NOT NULL,   -- raw, zstd
	key_id TEXT NOT NULL DEFAULT '',
	data   BLOB NOT NULL
);

CREATE TABLE account (
	name       TEXT PRIMARY KEY,
	full_name  TEXT NOT NULL,
	role       TEXT NOT NULL,
	disabled   BOOLEAN NOT NULL,
	password   TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE mailbox (
	name            TEXT PRIMARY KEY,
	address         TEXT NOT NULL,
	folder          TEXT NOT NULL,
	uidvalidity     BIGINT NOT NULL,
	last_uid        BIGINT NOT NULL,
	start_uid       BIGINT NOT NULL, -- mails up to it were there before and are left alone
	epoch_start     BIGINT NOT NULL,
	reset           BOOLEAN NOT NULL,
	state           TEXT NOT NULL,
	last_success_at BIGINT NOT NULL,
	last_error      TEXT NOT NULL,
	lease_owner     TEXT NOT NULL,
	lease_until     BIGINT NOT NULL,
	fence           BIGINT NOT NULL
);

CREATE TABLE customer (
	id               INTEGER PRIMARY KEY,
	brand            TEXT NOT NULL,
	address          TEXT NOT NULL,
	address_key      TEXT NOT NULL,
	name             TEXT NOT NULL,
	language         TEXT NOT NULL,
	undeliverable_at BIGINT NOT NULL,
	created_at       BIGINT NOT NULL
);
CREATE UNIQUE INDEX customer_address ON customer (brand, address_key);

CREATE TABLE ticket (
	id              INTEGER PRIMARY KEY,
	brand           TEXT NOT NULL,
	customer_id     BIGINT REFERENCES customer (id),
	category        TEXT NOT NULL,
	confidence      DOUBLE PRECISION NOT NULL,
	category_by     TEXT NOT NULL,
	secondary       TEXT,
	flags           TEXT,
	rules_version   TEXT NOT NULL,
	status          TEXT NOT NULL,
	stage           TEXT NOT NULL,
	subject         TEXT NOT NULL,
	language        TEXT NOT NULL,
	assignee        TEXT NOT NULL,
	priority        TEXT NOT NULL,
	queue           TEXT NOT NULL,
	tags            TEXT,
	merged_into     BIGINT REFERENCES ticket (id),
	due_at          BIGINT NOT NULL,
	last_inbound_at BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL
);
CREATE INDEX ticket_status ON ticket (status, updated_at);
CREATE INDEX ticket_customer ON ticket (customer_id, created_at);
CREATE INDEX ticket_due ON ticket (due_at) WHERE due_at > 0;

CREATE TABLE message (
	id            INTEGER PRIMARY KEY,
	ticket_id     BIGINT REFERENCES ticket (id),
	direction     TEXT NOT NULL,
	kind          TEXT NOT NULL,
	from_address  TEXT NOT NULL,
	from_name     TEXT NOT NULL,
	to_addresses  TEXT,
	cc_addresses  TEXT,
	subject       TEXT NOT NULL,
	message_id    TEXT NOT NULL,
	in_reply_to   TEXT,
	reference_ids TEXT,
	body          TEXT NOT NULL,
	new_body      TEXT NOT NULL,
	language      TEXT NOT NULL,
	auth          TEXT NOT NULL,
	auth_result   TEXT NOT NULL,
	trust         TEXT NOT NULL,
	problems      TEXT,
	decision      TEXT NOT NULL,
	author        TEXT NOT NULL,
	template      TEXT NOT NULL,
	raw_sha256    TEXT REFERENCES original (sha256),
	received_at   BIGINT NOT NULL,
	created_at    BIGINT NOT NULL
);
CREATE INDEX message_ticket ON message (ticket_id, id);
CREATE INDEX message_mail_id ON message (message_id) WHERE message_id <> '';

CREATE TABLE attachment (
	id           INTEGER PRIMARY KEY,
	message_id   BIGINT NOT NULL REFERENCES message (id),
	part         BIGINT NOT NULL,
	filename     TEXT NOT NULL,
	content_type TEXT NOT NULL,
	sniffed      TEXT NOT NULL,
	size         BIGINT NOT NULL,
	sha256       TEXT NOT NULL, -- of the file, not of a mail
	inline       BOOLEAN NOT NULL,
	content_id   TEXT NOT NULL,
	scan         TEXT NOT NULL
);
CREATE INDEX attachment_message ON attachment (message_id);
CREATE INDEX attachment_sha256 ON attachment (sha256);

CREATE TABLE inbound (
	id            INTEGER PRIMARY KEY,
	mailbox       TEXT NOT NULL,
	uidvalidity   BIGINT NOT NULL,
	uid           BIGINT NOT NULL,
	raw_sha256    TEXT REFERENCES original (sha256),
	content_sha256 TEXT NOT NULL, -- of the bytes without what servers added on the way
	mail_id       TEXT NOT NULL,
	size          BIGINT NOT NULL,
	internal_date BIGINT NOT NULL,
	outcome       TEXT NOT NULL,
	reason        TEXT NOT NULL,
	ticket_id     BIGINT REFERENCES ticket (id),
	message_id    BIGINT REFERENCES message (id),
	at            BIGINT NOT NULL,
	attempts      BIGINT NOT NULL,
	next_try_at   BIGINT NOT NULL,
	marked        BOOLEAN NOT NULL
);
-- One message of one mailbox for ever: RFC 9051, section 2.3.1.1.
CREATE UNIQUE INDEX inbound_uid ON inbound (mailbox, uidvalidity, uid);
CREATE INDEX inbound_raw ON inbound (raw_sha256) WHERE raw_sha256 IS NOT NULL;
CREATE INDEX inbound_content ON inbound (content_sha256) WHERE content_sha256 <> '';
CREATE INDEX inbound_hole ON inbound (mailbox, uidvalidity, next_try_at) WHERE outcome = 'failed';
CREATE INDEX inbound_unmarked ON inbound (mailbox, uidvalidity, uid) WHERE NOT marked;
CREATE INDEX inbound_outcome ON inbound (mailbox, outcome);

CREATE TABLE held (
	id           INTEGER PRIMARY KEY,
	inbound_id   BIGINT REFERENCES inbound (id),
	mailbox      TEXT NOT NULL,
	uid          BIGINT NOT NULL,
	reason       TEXT NOT NULL,
	from_address TEXT NOT NULL,
	subject      TEXT NOT NULL,
	mail_id      TEXT NOT NULL,
	raw_sha256   TEXT REFERENCES original (sha256),
	ticket_id    BIGINT REFERENCES ticket (id),
	message_id   BIGINT REFERENCES message (id),
	state        TEXT NOT NULL,
	at           BIGINT NOT NULL
);
CREATE INDEX held_state ON held (state, id);

-- Messages that a mail answers and that have not come yet.
CREATE TABLE awaited (
	id         INTEGER PRIMARY KEY,
	mail_id    TEXT NOT NULL,
	ticket_id  BIGINT REFERENCES ticket (id),
	sender     TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX awaited_mail_id ON awaited (mail_id);

CREATE TABLE delivery (
	id              INTEGER PRIMARY KEY,
	ticket_id       BIGINT REFERENCES ticket (id),
	message_id      BIGINT REFERENCES message (id),
	class           TEXT NOT NULL,
	template        TEXT NOT NULL,
	dedupe_key      TEXT NOT NULL,
	automatic       BOOLEAN NOT NULL,
	mail_from       TEXT NOT NULL,
	rcpt_to         TEXT NOT NULL,
	domain          TEXT NOT NULL,
	mail_id         TEXT NOT NULL,
	raw_sha256      TEXT REFERENCES original (sha256),
	state           TEXT NOT NULL,
	attempts        BIGINT NOT NULL,
	last_code       BIGINT NOT NULL,
	last_response   TEXT NOT NULL,
	next_attempt_at BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL,
	accepted_at     BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	lease_owner     TEXT NOT NULL,
	lease_until     BIGINT NOT NULL,
	fence           BIGINT NOT NULL
);
CREATE UNIQUE INDEX delivery_dedupe ON delivery (dedupe_key);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE state IN ('queued', 'deferred', 'leased');
CREATE INDEX delivery_state ON delivery (state, id);
CREATE INDEX delivery_leased ON delivery (lease_until) WHERE lease_owner <> '';
CREATE INDEX delivery_mail_id ON delivery (mail_id);
CREATE INDEX delivery_ticket ON delivery (ticket_id, created_at);
CREATE INDEX delivery_automatic_rcpt ON delivery (rcpt_to, created_at) WHERE automatic;
CREATE INDEX delivery_automatic_domain ON delivery (domain, created_at) WHERE automatic;
CREATE INDEX delivery_automatic ON delivery (created_at) WHERE automatic;

-- The audit record. leaf is the position in the Merkle tree, given once by the sealer.
CREATE TABLE event (
	seq         INTEGER PRIMARY KEY,
	at          BIGINT NOT NULL,
	actor       TEXT NOT NULL,
	kind        TEXT NOT NULL,
	ticket      BIGINT NOT NULL,
	data        TEXT NOT NULL,
	row_digests TEXT NOT NULL,
	leaf        BIGINT
);
CREATE INDEX event_ticket ON event (ticket, seq) WHERE ticket <> 0;
CREATE INDEX event_unsealed ON event (seq) WHERE leaf IS NULL;
CREATE UNIQUE INDEX event_leaf ON event (leaf) WHERE leaf IS NOT NULL;

-- Hashes of the Merkle tree in the order of golang.org/x/mod/sumdb/tlog.
CREATE TABLE tree_hash (
	position INTEGER PRIMARY KEY,
	hash     BLOB NOT NULL
);

CREATE TABLE checkpoint (
	size BIGINT PRIMARY KEY, -- leaves in the tree it signs
	at   BIGINT NOT NULL,
	note TEXT NOT NULL
);

CREATE TRIGGER original_no_update BEFORE UPDATE ON original BEGIN SELECT RAISE(ABORT, 'original is append-only'); END;
CREATE TRIGGER original_no_delete BEFORE DELETE ON original BEGIN SELECT RAISE(ABORT, 'original is append-only'); END;

CREATE TRIGGER message_no_update BEFORE UPDATE ON message BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER message_no_delete BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;

CREATE TRIGGER attachment_no_update BEFORE UPDATE ON attachment BEGIN SELECT RAISE(ABORT, 'attachment is append-only'); END;
CREATE TRIGGER attachment_no_delete BEFORE DELETE ON attachment BEGIN SELECT RAISE(ABORT, 'attachment is append-only'); END;

CREATE TRIGGER tree_hash_no_update BEFORE UPDATE ON tree_hash BEGIN SELECT RAISE(ABORT, 'tree_hash is append-only'); END;
CREATE TRIGGER tree_hash_no_delete BEFORE DELETE ON tree_hash BEGIN SELECT RAISE(ABORT, 'tree_hash is append-only'); END;

CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;

CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE OF seq, at, actor, kind, ticket, data, row_digests ON event
	BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_leaf_once BEFORE UPDATE OF leaf ON event WHEN OLD.leaf IS NOT NULL OR NEW.leaf IS NULL
	BEGIN SELECT RAISE(ABORT, 'the leaf of an event is given once'); END;
