//! Files that a log finds when it is opened: of other versions, damaged, left behind by a program that was killed.

use super::*;
use rusqlite::Connection;

/// What the first version of the program wrote: the account `ann`, the lobby, and two lines of hers.
const VERSION_1: &str = include_str!("version-1.sql");

/// A log of the first version is opened and goes on, whatever has become of the schema since.
#[test]
fn a_log_of_the_first_version_goes_on() {
    let mut disk = Disk::new();
    let db = Connection::open(disk.path()).unwrap();
    db.execute_batch(VERSION_1).unwrap();
    let version =
        |db: &Connection| -> u32 { db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap() };
    assert_eq!(version(&db), 1);
    drop(db);
    let mut engine = disk.open();
    let recovered = engine.recover().unwrap();
    assert_eq!((recovered.generation, recovered.hub_log.len()), (*b"version1", 2));
    assert_eq!(recovered.present, [AccountId(2)]);
    assert_eq!(texts(&mut *engine, LOBBY), ["", "first", "second"]);
    let [again, new] = [append(LOBBY, 2, 0x12, "second"), append(LOBBY, 2, 0x13, "third")];
    let outcomes = outcomes(&engine.commit(&[again, new], NOW));
    assert_eq!(outcomes[&Ticket(0x12)], Err(Refused::Duplicate(Seq(3))));
    assert_eq!(outcomes[&Ticket(0x13)], Ok((LOBBY, Seq(4))));
    drop(engine);
    assert_eq!(texts(&mut *disk.open(), LOBBY), ["", "first", "second", "third"]);
}

/// The write-ahead log that a killed program left is written into the database before anything else is done: what it
/// had written and not synchronised counts from then on.
#[test]
fn what_a_killed_program_left_is_made_sure_of() {
    let (mut living, mut left) = (Disk::new(), Disk::new());
    let mut engine = living.open();
    engine.commit(&[append(LOBBY, 1, 1, "kept")], NOW);
    let wal = |disk: &Disk| disk.path().with_extension("sqlite-wal");
    // What is on disk while a program runs is what it leaves when it is killed.
    std::fs::copy(living.path(), left.path()).unwrap();
    std::fs::copy(wal(&living), wal(&left)).unwrap();
    assert!(std::fs::metadata(wal(&left)).unwrap().len() > 0);
    let mut opened = left.open();
    assert_eq!(std::fs::metadata(wal(&left)).unwrap().len(), 0, "it is in the database");
    assert_eq!(texts(&mut *opened, LOBBY), ["kept"]);
}

/// Damage is looked for where a program was killed, and refused with a sentence.
#[test]
fn damage_behind_a_killed_program_is_found() {
    let mut disk = Disk::new();
    let lines: Vec<Append> = (0..200).map(|id| append(LOBBY, 1, id, &"x".repeat(1_000))).collect();
    disk.open().commit(&lines, NOW);
    let mut file = std::fs::read(disk.path()).unwrap();
    let middle = file.len() / 2 / 4096 * 4096;
    file[middle..middle + 4096].fill(0xee);
    std::fs::write(disk.path(), &file).unwrap();
    std::fs::write(disk.path().with_extension("sqlite-wal"), "the beginning of something").unwrap();
    let sentence = SqliteLog::open(&disk.path(), GENERATION).unwrap_err().to_string();
    for part in ["damaged", "log.sqlite", "try:", "backup"] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
}

/// A log of a newer program is refused with a sentence and a way out, and left as it is.
#[test]
fn a_log_of_a_newer_program_is_refused() {
    let mut disk = Disk::new();
    disk.open().commit(&[append(LOBBY, 1, 1, "kept")], NOW);
    let mut file = std::fs::read(disk.path()).unwrap();
    // Where SQLite keeps user_version, big-endian.
    file[60..64].copy_from_slice(&99u32.to_be_bytes());
    std::fs::write(disk.path(), &file).unwrap();
    let sentence = SqliteLog::open(&disk.path(), GENERATION).unwrap_err().to_string();
    for part in ["version 99", "newer program", "try:", "log.sqlite"] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    assert_eq!(std::fs::read(disk.path()).unwrap(), file);
}

/// A file that is no log is refused with a sentence.
#[test]
fn what_is_no_log_is_refused() {
    let disk = Disk::new();
    std::fs::write(disk.path(), "a diary, and not a log at all".repeat(200)).unwrap();
    let sentence = SqliteLog::open(&disk.path(), GENERATION).unwrap_err().to_string();
    assert!(sentence.contains("log.sqlite") && sentence.contains("try:"), "{sentence}");
}
