//! What is about another entry, and what is deleted: the text goes, the number stays.

use super::search;
use node_proto::log::{About, Append, RoomId, Seq, tombstone};
use rusqlite::{OptionalExtension, Transaction, params};
use spec::wire::entry::{Entry, EntryKind};

/// Whether the entry that `append` is about is a line of its room, and its author's if it has to be.
pub(super) fn is_there(
    transaction: &Transaction<'_>,
    append: &Append,
    about: &About,
) -> rusqlite::Result<bool> {
    let sql = "SELECT kind, author FROM entries WHERE room = ?1 AND seq = ?2";
    let mut query = transaction.prepare_cached(sql)?;
    // A number of the wire may be larger than any number of the log.
    let Ok(target) = i64::try_from(about.target.0) else { return Ok(false) };
    let line = query
        .query_row(params![append.room.0, target], |row| {
            Ok((EntryKind::from_code(row.get(0)?), row.get::<_, u64>(1)?))
        })
        .optional()?;
    Ok(line.is_some_and(|(kind, author)| kind.is_line() && (!about.is_own || author == append.author.0)))
}

/// Empties an entry and what was said instead of it; their numbers.
pub(super) fn redact(transaction: &Transaction<'_>, room: RoomId, target: Seq) -> rusqlite::Result<Vec<Seq>> {
    let edit = EntryKind::Edit.code();
    let sql = "SELECT seq, entry FROM entries
               WHERE room = ?1 AND (seq = ?2 OR target = ?2 AND kind = ?3)";
    let mut query = transaction.prepare_cached(sql)?;
    let rows = query.query_map(params![room.0, target.0, edit], |row| {
        Ok((Seq(row.get(0)?), row.get::<_, Vec<u8>>(1)?))
    })?;
    let found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (sequence, bytes) in &found {
        let Ok(entry) = Entry::decode(bytes) else { continue };
        let sql = "UPDATE entries SET kind = ?3, entry = ?4 WHERE room = ?1 AND seq = ?2";
        let mut update = transaction.prepare_cached(sql)?;
        let kind = EntryKind::Deleted.code();
        update.execute(params![room.0, sequence.0, kind, tombstone(&entry)])?;
        search::forget(transaction, room, *sequence)?;
    }
    Ok(found.into_iter().map(|(sequence, _)| sequence).collect())
}
