//! The log in SQLite: WAL, `synchronous=FULL`, one transaction a batch.
//!
//! What SQLite calls committed is not on disk for certain in two cases. After `kill -9` the next program finds in the
//! write-ahead log what was written and never synchronised. And after a failed `fsync` the kernel may call pages clean
//! that never reached the disk, so that the next `fsync` succeeds and says nothing (LWN, "PostgreSQL's fsync()
//! surprise", 2018). So at the start, and after every failed commit, all that counts as committed is written into the
//! database once more and synchronised, and the write-ahead log emptied, before anything else is committed: a repeat
//! that is answered "stored" is on disk, and what was refused is not.

use super::{redaction, search};
use crate::data::folder::private_file;
use crate::failure::{Context, Failure};
use node_proto::log::{
    AccountId, Append, Batch, Engine, HUB_ROOM, LOBBY, Lookup, Page, Recovered, Refused, Reply, RoomId, Seq,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use spec::time::UnixTime;
use spec::wire::entry::EntryKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One script for each version, applied in order.
const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema_2.sql")];

/// A log in a file.
#[derive(Debug)]
pub struct SqliteLog {
    db: Connection,
    generation: [u8; 8],
    heads: BTreeMap<RoomId, Seq>,
    /// Whether all that is committed is on disk for certain.
    is_settled: bool,
}

impl SqliteLog {
    /// Opens the log at `path`, and makes it when it is not there. `generation` names a log that is made.
    ///
    /// # Errors
    /// When the file cannot be opened, is no log, or is of a newer program.
    pub fn open(path: &Path, generation: [u8; 8]) -> Result<Self, Failure> {
        let shown = path.display();
        // SQLite gives the files beside the log the mode of the log.
        drop(private_file(path, false).context(format!("cannot open the log {shown}"))?);
        let was_killed = std::fs::metadata(wal_of(path)).is_ok_and(|wal| wal.len() > 0);
        let db = Connection::open(path).context(format!("cannot open the log {shown}"))?;
        let log = Self { db, generation, heads: BTreeMap::new(), is_settled: false };
        log.prepare(was_killed).map_err(|error| {
            Failure::new(format!("cannot use the log {shown}: {error}"))
                .advise("another --data folder, or a backup of this one")
        })
    }

    fn prepare(mut self, was_killed: bool) -> Result<Self, String> {
        let text = |error: rusqlite::Error| error.to_string();
        self.db.pragma_update(None, "journal_mode", "WAL").map_err(text)?;
        self.db.pragma_update(None, "synchronous", "FULL").map_err(text)?;
        // What is deleted is overwritten.
        self.db.pragma_update(None, "secure_delete", "ON").map_err(text)?;
        self.migrate()?;
        if was_killed {
            self.check()?;
        }
        self.name_generation().map_err(text)?;
        self.read_heads().map_err(text)?;
        // A disk that is full or fails keeps nobody from reading: nothing is committed until it is better.
        if let Err(error) = self.settle() {
            ::log::error!("the log cannot be written: {error}");
        }
        Ok(self)
    }

    fn migrate(&mut self) -> Result<(), String> {
        let text = |error: rusqlite::Error| error.to_string();
        let version: usize = self.db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(text)?;
        if version > MIGRATIONS.len() {
            return Err(format!("it is of version {version}, made by a newer program"));
        }
        if version == MIGRATIONS.len() {
            return Ok(());
        }
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(text)?;
        for script in &MIGRATIONS[version..] {
            transaction.execute_batch(script).map_err(text)?;
        }
        if version == 1 {
            search::index_all(&transaction).map_err(text)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len()).map_err(text)?;
        transaction.commit().map_err(text)
    }

    /// Looks for damage: it takes about a second of CPU for each gigabyte, so only where the last program did not
    /// close the log.
    fn check(&self) -> Result<(), String> {
        let found: String = self
            .db
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| error.to_string())?;
        if found == "ok" { Ok(()) } else { Err(format!("it is damaged: {found}")) }
    }

    fn name_generation(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT value FROM meta WHERE key = 'generation'";
        let known = self.db.query_row(sql, [], |row| row.get(0)).optional()?;
        match known {
            Some(known) => self.generation = known,
            None => {
                let sql = "INSERT INTO meta VALUES ('generation', ?1)";
                self.db.execute(sql, [&self.generation[..]])?;
            }
        }
        Ok(())
    }

    /// The last number of each room, found without reading the entries between.
    fn read_heads(&mut self) -> rusqlite::Result<()> {
        let sql = "WITH RECURSIVE rooms (room) AS (
                SELECT min(room) FROM entries
                UNION ALL
                SELECT (SELECT min(room) FROM entries WHERE room > rooms.room) FROM rooms WHERE room IS NOT NULL
            )
            SELECT room, (SELECT max(seq) FROM entries WHERE entries.room = rooms.room)
            FROM rooms WHERE room IS NOT NULL";
        let mut query = self.db.prepare_cached(sql)?;
        let heads = query.query_map([], |row| Ok((RoomId(row.get(0)?), Seq(row.get(1)?))))?;
        self.heads = heads.collect::<rusqlite::Result<_>>()?;
        Ok(())
    }

    /// Makes sure that what is committed is on disk and that what was refused is not. Numbers go on from there.
    fn settle(&mut self) -> rusqlite::Result<()> {
        if self.is_settled {
            return Ok(());
        }
        let is_busy: bool = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if is_busy {
            let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(rusqlite::Error::SqliteFailure(busy, Some("another program reads the log".into())));
        }
        self.read_heads()?;
        self.is_settled = true;
        Ok(())
    }

    fn entries(
        &self,
        room: RoomId,
        from: Seq,
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) -> rusqlite::Result<()> {
        let mut query = self
            .db
            .prepare_cached("SELECT seq, entry FROM entries WHERE room = ?1 AND seq >= ?2 ORDER BY seq")?;
        let mut rows = query.query(params![room.0, from.0])?;
        let mut expected = from;
        while let Some(row) = rows.next()? {
            // A hole would give what stands behind it a wrong number.
            if Seq(row.get(0)?) != expected || !take(row.get(1)?) {
                break;
            }
            expected = expected.next();
        }
        Ok(())
    }

    fn present(&self) -> rusqlite::Result<Vec<AccountId>> {
        let sql = "SELECT author, kind FROM entries WHERE room = 1 AND kind IN (3, 4) ORDER BY seq";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([])?;
        let mut present = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let (author, kind) = (AccountId(row.get(0)?), EntryKind::from_code(row.get(1)?));
            if kind == EntryKind::Joined {
                present.insert(author)
            } else {
                present.remove(&author)
            };
        }
        Ok(present.into_iter().collect())
    }

    fn try_commit(&mut self, appends: &[Append], time: UnixTime) -> rusqlite::Result<Vec<Reply>> {
        let mut batch = Batch::default();
        let mut replies = Vec::new();
        let mut heads: BTreeMap<RoomId, Seq> = BTreeMap::new();
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for append in appends {
            if let Some(sequence) = committed_before(&transaction, append)? {
                let reason = Refused::Duplicate(sequence);
                replies.push(Reply::Refused { ticket: append.ticket, reason });
                continue;
            }
            if let Some(about) = &append.about {
                if !redaction::is_there(&transaction, append, about)? {
                    let reason = Refused::NoSuchTarget;
                    replies.push(Reply::Refused { ticket: append.ticket, reason });
                    continue;
                }
                if about.redacts {
                    let redacted = redaction::redact(&transaction, append.room, about.target)?;
                    batch.redacted.extend(redacted.into_iter().map(|sequence| (append.room, sequence)));
                }
            }
            let known = self.heads.get(&append.room).copied().unwrap_or_default();
            let head = heads.entry(append.room).or_insert(known);
            let (sequence, entry) = (head.next(), append.entry(time));
            insert(&transaction, append, sequence, &entry)?;
            *head = sequence;
            batch.push(append.ticket, append.room, sequence, &entry);
        }
        transaction.commit()?;
        self.heads.append(&mut heads);
        if !batch.tickets.is_empty() {
            replies.insert(0, Reply::Committed(Arc::new(batch)));
        }
        Ok(replies)
    }
}

/// The write-ahead log of the database at `path`: it is emptied when the database is closed.
fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn committed_before(transaction: &Transaction<'_>, append: &Append) -> rusqlite::Result<Option<Seq>> {
    let sql = "SELECT seq FROM entries WHERE room = ?1 AND author = ?2 AND id = ?3";
    let mut query = transaction.prepare_cached(sql)?;
    query
        .query_row(params![append.room.0, append.author.0, &append.id.0[..]], |row| row.get(0).map(Seq))
        .optional()
}

fn insert(
    transaction: &Transaction<'_>,
    append: &Append,
    sequence: Seq,
    entry: &[u8],
) -> rusqlite::Result<()> {
    let mut query = transaction.prepare_cached("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let Append { room, author, id, kind, about, .. } = append;
    let target = about.map(|about| about.target.0);
    query.execute(params![room.0, sequence.0, author.0, &id.0[..], kind.code(), entry, target])?;
    search::index(transaction, *room, sequence, entry)
}

impl Engine for SqliteLog {
    fn recover(&mut self) -> Result<Recovered, String> {
        let text = |error: rusqlite::Error| error.to_string();
        let mut hub_log = Vec::new();
        self.entries(HUB_ROOM, Seq(1), |entry| {
            hub_log.push(entry);
            true
        })
        .map_err(text)?;
        let heads = self.heads.iter().map(|(room, head)| (*room, *head)).collect();
        let present = self.present().map_err(text)?;
        debug_assert_eq!(LOBBY, RoomId(1), "the index of presence names the lobby by its number");
        Ok(Recovered { generation: self.generation, heads, hub_log, present })
    }

    fn commit(&mut self, appends: &[Append], time: UnixTime) -> Vec<Reply> {
        if appends.is_empty() {
            return Vec::new();
        }
        let committed = self.settle().and_then(|()| self.try_commit(appends, time));
        committed.unwrap_or_else(|error| {
            ::log::error!("the log could not commit: {error}");
            self.is_settled = false;
            let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            let reason = if is_full { Refused::Full } else { Refused::Unavailable };
            appends.iter().map(|append| Reply::Refused { ticket: append.ticket, reason }).collect()
        })
    }

    fn read(&mut self, room: RoomId, from: Seq) -> Reply {
        let mut page = Page::new(from);
        let read = self.entries(room, from, |entry| {
            page.push(&entry);
            !page.is_full()
        });
        if let Err(error) = read {
            ::log::error!("the log cannot be read: {error}");
        }
        Reply::Page { room, page }
    }

    fn find(&mut self, lookup: &Lookup) -> Reply {
        let ticket = lookup.ticket;
        match search::find(&self.db, lookup) {
            Ok(entries) => Reply::Found { ticket, entries },
            Err(error) => {
                ::log::error!("the log cannot be searched: {error}");
                Reply::Refused { ticket, reason: Refused::Unavailable }
            }
        }
    }
}
