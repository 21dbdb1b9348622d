-- Control-plane resources of all services. parent is the id of the resource it lives in, '' for none.
CREATE TABLE IF NOT EXISTS resources (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,            -- service/account/region
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,             -- JSON
    created REAL NOT NULL,
    updated REAL NOT NULL,
    due REAL,                       -- when CREATING, UPDATING or DELETING is over
    UNIQUE (scope, kind, parent, id)
);
CREATE INDEX IF NOT EXISTS resources_due ON resources (due) WHERE due IS NOT NULL;

CREATE TABLE IF NOT EXISTS tokens (
    scope TEXT NOT NULL, operation TEXT NOT NULL, token TEXT NOT NULL, digest TEXT NOT NULL, reply TEXT NOT NULL,
    at REAL NOT NULL DEFAULT 0,     -- when it was first seen
    PRIMARY KEY (scope, operation, token)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tags (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)
) WITHOUT ROWID;

-- Per index: when its queue is worked off, and what it holds.
CREATE TABLE IF NOT EXISTS totals (
    index_id TEXT PRIMARY KEY,
    busy_until REAL NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,   -- documents, with those accepted but not indexed yet
    documents INTEGER NOT NULL DEFAULT 0,
    text_bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id TEXT NOT NULL UNIQUE,
    index_id TEXT NOT NULL,
    data_source TEXT NOT NULL,
    status TEXT NOT NULL,
    started REAL NOT NULL,
    stopped REAL,                   -- when Stop was called
    ended REAL,
    open INTEGER NOT NULL DEFAULT 1,
    touched INTEGER NOT NULL DEFAULT 0, -- it was given at least one document
    last_work REAL NOT NULL DEFAULT 0,  -- when the last of them was settled
    code TEXT, message TEXT,
    added INTEGER NOT NULL DEFAULT 0, modified INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS jobs_of_source ON jobs (data_source, started, seq);
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (open) WHERE open = 1;

-- How a document counts in a job: once, by its net effect.
CREATE TABLE IF NOT EXISTS tallies (
    execution_id TEXT NOT NULL, id TEXT NOT NULL, existed INTEGER NOT NULL, outcome TEXT,
    PRIMARY KEY (execution_id, id)
) WITHOUT ROWID;

-- When what was counted, as long as metrics lag.
CREATE TABLE IF NOT EXISTS counted (
    execution_id TEXT NOT NULL, at REAL NOT NULL, outcome TEXT NOT NULL, step INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS counted_of_job ON counted (execution_id, at);

-- What was so of a document from when on, as long as statuses lag; status '' for one that is not there.
CREATE TABLE IF NOT EXISTS history (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    status TEXT NOT NULL,
    data_source TEXT,
    created REAL NOT NULL,
    code TEXT, message TEXT
);
CREATE INDEX IF NOT EXISTS history_of_document ON history (index_id, id, at, seq);

CREATE TABLE IF NOT EXISTS documents (
    doc INTEGER PRIMARY KEY,
    index_id TEXT NOT NULL,
    id TEXT NOT NULL,
    data_source TEXT,
    present INTEGER NOT NULL,       -- a version of it can be found
    status TEXT NOT NULL,           -- INDEXED, UPDATED, FAILED, UPDATE_FAILED, or an end that only Bedrock has
    title TEXT, uri TEXT,
    attributes TEXT NOT NULL DEFAULT '{}', -- JSON: name to value, dates as epoch seconds
    acl TEXT,                       -- JSON; NULL is public
    text_bytes INTEGER NOT NULL DEFAULT 0,
    digest BLOB,
    code TEXT, message TEXT,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    UNIQUE (index_id, id)
);

-- Accepted, but not done yet; done in order of seq.
CREATE TABLE IF NOT EXISTS operations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,             -- put, delete
    data_source TEXT,
    execution_id TEXT,
    accepted REAL NOT NULL,
    begin REAL NOT NULL,
    due REAL NOT NULL,
    payload BLOB, content BLOB
);
CREATE INDEX IF NOT EXISTS operations_due ON operations (due);
CREATE INDEX IF NOT EXISTS operations_of_document ON operations (index_id, id);
CREATE INDEX IF NOT EXISTS operations_of_job ON operations (execution_id);

CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (
    title, body, tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Puts (with members) and deletes of groups; data_source '' for groups of the whole index.
CREATE TABLE IF NOT EXISTS mappings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id TEXT NOT NULL,
    data_source TEXT NOT NULL,
    name TEXT NOT NULL,
    ordering INTEGER NOT NULL,
    members TEXT,
    message TEXT,                   -- why a put failed
    received REAL NOT NULL,
    due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS mappings_of_group ON mappings (index_id, data_source, name);
