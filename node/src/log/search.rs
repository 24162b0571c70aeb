//! Entries that are looked for, by time or by words.

use node_proto::log::{Found, HUB_ROOM, Lookup, RoomId, Seq, Wanted, words};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use spec::time::UnixTime;
use spec::wire::entry::Entry;

/// Bits of a row's name that are the entry's number; those above are the room.
const SEQUENCE_BITS: u32 = 40;

/// The row of an entry in the table of words; `None` beyond what it can name.
fn row(room: RoomId, sequence: Seq) -> Option<i64> {
    let fits = room.0 < 1 << (62 - SEQUENCE_BITS) && sequence.0 < 1 << SEQUENCE_BITS;
    i64::try_from(room.0 << SEQUENCE_BITS | sequence.0).ok().filter(|_| fits)
}

/// Notes the words of an entry, if it has any that can be searched for.
pub(super) fn index(
    transaction: &Transaction<'_>,
    room: RoomId,
    sequence: Seq,
    entry: &[u8],
) -> rusqlite::Result<()> {
    let words = Entry::decode(entry).ok().filter(|_| room != HUB_ROOM).and_then(|entry| words(&entry));
    if let Some((row, text)) = row(room, sequence).zip(words) {
        let mut query = transaction.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
        query.execute(params![row, text])?;
    }
    Ok(())
}

/// Forgets the words of an entry.
pub(super) fn forget(transaction: &Transaction<'_>, room: RoomId, sequence: Seq) -> rusqlite::Result<()> {
    if let Some(row) = row(room, sequence) {
        transaction.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([row])?;
    }
    Ok(())
}

/// Notes the words of everything that was there before words were noted.
pub(super) fn index_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut query = transaction.prepare("SELECT room, seq, entry FROM entries")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let entry: Vec<u8> = row.get(2)?;
        index(transaction, RoomId(row.get(0)?), Seq(row.get(1)?), &entry)?;
    }
    Ok(())
}

/// The entries that are looked for.
pub(super) fn find(db: &Connection, lookup: &Lookup) -> rusqlite::Result<Vec<(Seq, Vec<u8>)>> {
    match &lookup.wanted {
        Wanted::Since(since) => find_since(db, lookup, *since),
        Wanted::Words { before, words } => find_words(db, lookup, *before, words),
    }
}

fn find_since(db: &Connection, lookup: &Lookup, since: UnixTime) -> rusqlite::Result<Vec<(Seq, Vec<u8>)>> {
    let from = first_since(db, lookup.room, lookup.first, since)?;
    let sql = "SELECT seq, entry FROM entries WHERE room = ?1 AND seq >= ?2 ORDER BY seq";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params![lookup.room.0, number(from)])?;
    let mut found = Found::new(lookup.count);
    while found.has_room()
        && let Some(row) = rows.next()?
    {
        found.push(Seq(row.get(0)?), row.get(1)?);
    }
    Ok(found.entries)
}

/// The first entry from `first` on that was committed at `since` or later: numbers are dense and times rise, but for a
/// clock that was set back.
fn first_since(db: &Connection, room: RoomId, first: Seq, since: UnixTime) -> rusqlite::Result<Seq> {
    if since.0 == 0 {
        return Ok(first);
    }
    let sql = "SELECT entry FROM entries WHERE room = ?1 AND seq = ?2";
    let mut query = db.prepare_cached(sql)?;
    let mut is_late = |sequence: u64| -> rusqlite::Result<bool> {
        let entry: Option<Vec<u8>> =
            query.query_row(params![room.0, number(Seq(sequence))], |row| row.get(0)).optional()?;
        let time = entry.and_then(|entry| Entry::decode(&entry).ok().map(|entry| entry.time));
        Ok(time.is_none_or(|time| time >= since))
    };
    let head: u64 = db
        .prepare_cached("SELECT ifnull(max(seq), 0) FROM entries WHERE room = ?1")?
        .query_row([room.0], |row| row.get(0))?;
    let (mut low, mut high) = (first.0.max(1), head.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if is_late(middle)? { high = middle } else { low = middle + 1 }
    }
    Ok(Seq(low))
}

fn find_words(
    db: &Connection,
    lookup: &Lookup,
    before: Seq,
    words: &str,
) -> rusqlite::Result<Vec<(Seq, Vec<u8>)>> {
    let mut found = Found::new(lookup.count);
    let Some(phrase) = phrase(words) else { return Ok(found.entries) };
    let last = Seq(before.0.saturating_sub(1).min((1 << SEQUENCE_BITS) - 1));
    let Some((from, to)) = row(lookup.room, lookup.first).zip(row(lookup.room, last)) else {
        return Ok(found.entries);
    };
    let sql = "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3
               ORDER BY rowid DESC LIMIT ?4";
    let mut matching = db.prepare_cached(sql)?;
    let count = i64::try_from(lookup.count).unwrap_or(i64::MAX);
    let mut rows = matching.query(params![phrase, from, to, count])?;
    let mut entry = db.prepare_cached("SELECT entry FROM entries WHERE room = ?1 AND seq = ?2")?;
    while found.has_room()
        && let Some(row) = rows.next()?
    {
        let sequence = row.get::<_, u64>(0)? & ((1 << SEQUENCE_BITS) - 1);
        let bytes = entry.query_row(params![lookup.room.0, sequence], |row| row.get(0)).optional()?;
        if let Some(bytes) = bytes {
            found.push(Seq(sequence), bytes);
        }
    }
    Ok(found.entries)
}

/// All words, each as a string, so that nothing of what a person types is an operator; `None` when there is no word.
fn phrase(words: &str) -> Option<String> {
    let has_word = |word: &&str| word.contains(char::is_alphanumeric);
    let quoted = |word: &str| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', " "));
    let words: Vec<String> = words.split_whitespace().filter(has_word).map(quoted).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A number of the wire as SQLite has numbers: what is larger is larger than any entry's.
fn number(sequence: Seq) -> i64 {
    i64::try_from(sequence.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_typed_is_an_operator() {
        for (words, expected) in [
            ("old mill", Some("\"old\" \"mill\"")),
            ("a\" OR \"b*", Some("\"a\"\"\" \"OR\" \"\"\"b*\"")),
            ("NEAR(x)", Some("\"NEAR(x)\"")),
            (" \" - * ", None),
            ("", None),
        ] {
            assert_eq!(phrase(words).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn rows_name_rooms_and_numbers() {
        assert_eq!(row(RoomId(1), Seq(1)), Some((1 << 40) + 1));
        assert!(row(RoomId(2), Seq(0)) > row(RoomId(1), Seq((1 << 40) - 1)));
        assert_eq!((row(RoomId(1 << 22), Seq(1)), row(RoomId(1), Seq(1 << 40))), (None, None));
    }
}
