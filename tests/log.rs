//! One suite for every engine of the room log, and what only a log on disk has to stand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "log/files.rs"]
mod files;

use node::log::SqliteLog;
use node_proto::log::{
    AccountId, Append, Engine, HUB_ROOM, LOBBY, MemoryLog, Page, Refused, Reply, RoomId, Seq, Ticket,
};
use spec::time::UnixTime;
use spec::wire::entry::{Entry, EntryKind, MessageId};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const GENERATION: [u8; 8] = [7; 8];
const NOW: UnixTime = UnixTime(1_790_000_000_000);

/// An engine that can be closed and opened again.
trait Shelf {
    fn open(&mut self) -> Box<dyn Engine>;
}

/// A log on disk.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("log.sqlite")
    }
}

impl Shelf for Disk {
    fn open(&mut self) -> Box<dyn Engine> {
        Box::new(SqliteLog::open(&self.path(), GENERATION).unwrap())
    }
}

/// Asks every engine the same.
fn conform(check: impl Fn(&mut dyn Engine)) {
    check(&mut MemoryLog::new(GENERATION));
    check(&mut *Disk::new().open());
}

fn append(room: RoomId, author: u64, id: u8, text: &str) -> Append {
    Append {
        ticket: Ticket(u64::from(id)),
        room,
        author: AccountId(author),
        id: MessageId([id; 16]),
        kind: EntryKind::Text,
        name: format!("author {author}"),
        body: text.into(),
        about: None,
    }
}

fn about(author: u64, id: u8, kind: EntryKind) -> Append {
    Append { kind, ..append(LOBBY, author, id, "") }
}

/// What became of every append: its number, or why not.
fn outcomes(replies: &[Reply]) -> BTreeMap<Ticket, Result<(RoomId, Seq), Refused>> {
    let mut outcomes = BTreeMap::new();
    for reply in replies {
        match reply {
            Reply::Committed(batch) => {
                outcomes.extend(batch.tickets.iter().map(|(ticket, room, seq)| (*ticket, Ok((*room, *seq)))));
            }
            Reply::Refused { ticket, reason } => {
                outcomes.insert(*ticket, Err(*reason));
            }
            Reply::Page { .. } | Reply::Found { .. } => panic!("a commit is not answered with entries"),
        }
    }
    outcomes
}

fn page(engine: &mut dyn Engine, room: RoomId, from: u64) -> Page {
    match engine.read(room, Seq(from)) {
        Reply::Page { room: read, page } if read == room => page,
        other => panic!("{other:?}"),
    }
}

/// All texts of a room, page by page; their numbers are dense.
fn texts(engine: &mut dyn Engine, room: RoomId) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let from = texts.len() as u64 + 1;
        let page = page(engine, room, from);
        assert_eq!(page.first(), Seq(from));
        if page.is_empty() {
            return texts;
        }
        for (seq, entry) in page.entries() {
            assert_eq!(seq, Seq(texts.len() as u64 + 1));
            texts.push(String::from_utf8(Entry::decode(entry).unwrap().body.to_vec()).unwrap());
        }
    }
}

/// Numbers begin at 1 in each room and have no gaps, whatever the batches; entries stand as they were given.
#[test]
fn numbers_are_dense_in_every_room() {
    conform(|engine| {
        let other = RoomId(9);
        let first = [append(LOBBY, 1, 1, "a"), append(other, 1, 2, "x"), append(LOBBY, 2, 3, "b")];
        let replies = engine.commit(&first, NOW);
        let numbers: Vec<_> = outcomes(&replies).into_values().map(Result::unwrap).collect();
        assert_eq!(numbers, [(LOBBY, Seq(1)), (other, Seq(1)), (LOBBY, Seq(2))]);
        let Reply::Committed(batch) = &replies[0] else { panic!("{replies:?}") };
        let (_, lobby) = batch.pages.iter().find(|(room, _)| *room == LOBBY).unwrap();
        let committed: Vec<_> = lobby.entries().map(|(seq, entry)| (seq, entry.to_vec())).collect();
        assert_eq!(committed, [(Seq(1), first[0].entry(NOW)), (Seq(2), first[2].entry(NOW))]);
        engine.commit(&[append(LOBBY, 1, 4, "c")], NOW);
        assert_eq!(texts(engine, LOBBY), ["a", "b", "c"]);
        assert_eq!(texts(engine, other), ["x"]);
        assert_eq!(page(engine, LOBBY, 1).entries().next().unwrap().1, first[0].entry(NOW));
        assert!(engine.commit(&[], NOW).is_empty());
    });
}

/// The same message is committed once, for ever: in the same batch, in a later one, in whatever company. The answer
/// names its first number. Another author, another room, another id is another message.
#[test]
fn a_repeated_message_is_the_same_message() {
    conform(|engine| {
        let again = |ticket| Append { ticket: Ticket(ticket), ..append(LOBBY, 1, 1, "once") };
        let batch = outcomes(&engine.commit(&[again(10), again(11), append(LOBBY, 1, 2, "two")], NOW));
        assert_eq!(batch[&Ticket(10)], Ok((LOBBY, Seq(1))));
        assert_eq!(batch[&Ticket(11)], Err(Refused::Duplicate(Seq(1))));
        assert_eq!(batch[&Ticket(2)], Ok((LOBBY, Seq(2))));
        let only = engine.commit(&[again(12)], NOW);
        assert_eq!(only, [Reply::Refused { ticket: Ticket(12), reason: Refused::Duplicate(Seq(1)) }]);
        let others = [append(LOBBY, 2, 1, "other author"), append(RoomId(9), 1, 1, "other room")];
        assert!(engine.commit(&others, NOW).iter().all(|reply| matches!(reply, Reply::Committed(_))));
        assert_eq!(texts(engine, LOBBY), ["once", "two", "other author"]);
    });
}

/// A long room is read in pages of bounded size, from any place; behind its end, and in a room that is not there,
/// there is an empty page.
#[test]
fn rooms_are_read_in_pages() {
    conform(|engine| {
        let said: Vec<String> = (0..100).map(|number| format!("{number} {}", "x".repeat(2000))).collect();
        let appends: Vec<Append> = (0..).zip(&said).map(|(id, text)| append(LOBBY, 1, id, text)).collect();
        engine.commit(&appends, NOW);
        assert_eq!(texts(engine, LOBBY), said);
        let first = page(engine, LOBBY, 1);
        assert!(first.len() < 40_000 && first.end() > Seq(10), "{} bytes", first.len());
        let some = page(engine, LOBBY, 73);
        assert_eq!(some.entries().next().unwrap().1, appends[72].entry(NOW));
        for (room, from) in [(LOBBY, 101), (LOBBY, u64::MAX >> 2), (RoomId(77), 1)] {
            assert!(page(engine, room, from).is_empty(), "{room:?} {from}");
        }
        engine.commit(&[append(LOBBY, 2, 1, &"y".repeat(65_536))], NOW);
        assert_eq!(page(engine, LOBBY, 101).end(), Seq(102), "an entry larger than a page is a page");
    });
}

/// What a hub must know when it starts: generation, heads, its own log, and who was here.
#[test]
fn recovery() {
    conform(|engine| {
        let recovered = engine.recover().unwrap();
        assert_eq!(recovered.generation, GENERATION);
        assert!(recovered.heads.is_empty() && recovered.hub_log.is_empty() && recovered.present.is_empty());
        let accounts = [append(HUB_ROOM, 0, 1, "account"), append(HUB_ROOM, 0, 2, "another")];
        engine.commit(&accounts, NOW);
        use EntryKind::{Joined, Left};
        for (id, (author, kind)) in (1..).zip([(1, Joined), (2, Joined), (1, Left), (3, Joined), (1, Joined)])
        {
            engine.commit(&[about(author, id, kind)], NOW);
        }
        engine.commit(&[about(3, 99, Left), append(LOBBY, 4, 1, "text alone is no presence")], NOW);
        let recovered = engine.recover().unwrap();
        assert_eq!(recovered.heads, [(HUB_ROOM, Seq(2)), (LOBBY, Seq(7))]);
        assert_eq!(recovered.hub_log, accounts.map(|append| append.entry(NOW)));
        assert_eq!(recovered.present, [AccountId(1), AccountId(2)]);
    });
}

/// Closed and opened again, the log on disk is the same: entries, numbers, repeats, generation.
#[test]
fn what_is_on_disk_stays() {
    let mut disk = Disk::new();
    let mut expected = Vec::new();
    for round in 0..5 {
        let mut engine = disk.open();
        assert_eq!(texts(&mut *engine, LOBBY), expected);
        let text = format!("round {round}");
        engine.commit(&[append(LOBBY, 1, round, &text)], NOW);
        expected.push(text);
        let repeats = (0..=round).map(|id| append(LOBBY, 1, id, "again")).collect::<Vec<_>>();
        for (id, outcome) in outcomes(&engine.commit(&repeats, NOW)) {
            assert_eq!(outcome, Err(Refused::Duplicate(Seq(id.0 + 1))));
        }
    }
    let other = SqliteLog::open(&disk.path(), [9; 8]).unwrap().recover().unwrap();
    assert_eq!(other.generation, GENERATION, "a log keeps the name it was made with");
}

/// `kill -9` of the writer loses nothing that was acknowledged.
#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    let mut disk = Disk::new();
    let mut writer = child("writer", &disk.path()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut acknowledged = 0;
    for line in lines {
        if let Some(count) = line.strip_prefix("acknowledged ") {
            acknowledged = count.parse().unwrap();
            if acknowledged >= 40 {
                break;
            }
        }
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let texts = texts(&mut *disk.open(), LOBBY);
    assert!(acknowledged >= 40 && texts.len() >= acknowledged, "{} of {acknowledged}", texts.len());
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(*text, number.to_string());
    }
}

/// The writer that is killed: it commits until then.
#[test]
#[ignore = "a child of a_killed_writer_loses_nothing_it_acknowledged"]
fn writer() {
    let Ok(path) = std::env::var(PATH) else { return };
    let mut engine = SqliteLog::open(Path::new(&path), GENERATION).unwrap();
    for number in 0..200u8 {
        engine.commit(&[append(LOBBY, 1, number, &number.to_string())], NOW);
        println!("acknowledged {}", u32::from(number) + 1);
    }
}

/// A full disk refuses the whole batch as [`Refused::Full`], loses nothing, and when there is space again numbers go on
/// without a gap. Needs a small file system, which an unprivileged user may mount in a name space.
#[test]
fn a_full_disk_refuses_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=1m none {}", folder.path().display());
    let may = Command::new("unshare").args(["-rm", "sh", "-c", &mount]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        println!("skipped: unshare");
        return;
    }
    let log = folder.path().join("log.sqlite");
    let test = child("small_disk", &log);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &format!("{mount} && exec \"$@\"")]).arg("sh");
    command.arg(test.get_program()).args(test.get_args()).env(PATH, &log);
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

/// What happens on the full disk.
#[test]
#[ignore = "a child of a_full_disk_refuses_and_goes_on"]
fn small_disk() {
    let Ok(path) = std::env::var(PATH).map(PathBuf::from) else { return };
    let ballast = path.with_file_name("ballast");
    std::fs::write(&ballast, vec![0; 512 * 1024]).unwrap();
    let mut engine = SqliteLog::open(&path, GENERATION).unwrap();
    let text = "x".repeat(8_000);
    let mut stored = 0u64;
    let refused = (0..250u8).step_by(2).find_map(|id| {
        let pair = [append(LOBBY, 1, id, &text), append(LOBBY, 1, id + 1, &text)];
        let outcomes = outcomes(&engine.commit(&pair, NOW));
        if outcomes.values().all(Result::is_ok) {
            stored += 2;
            return None;
        }
        assert!(outcomes.values().all(|outcome| *outcome == Err(Refused::Full)), "{outcomes:?}");
        assert_eq!(outcomes.len(), 2, "every append of the batch is answered");
        Some(pair)
    });
    let refused = refused.expect("the disk fills up");
    assert!(stored > 0);
    assert_eq!(texts(&mut engine, LOBBY).len() as u64, stored, "nothing of the refused batch is there");
    let once_more = outcomes(&engine.commit(&refused, NOW));
    assert!(once_more.values().all(|outcome| *outcome == Err(Refused::Full)), "{once_more:?}");
    std::fs::remove_file(ballast).unwrap();
    let numbers: Vec<_> = outcomes(&engine.commit(&refused, NOW)).into_values().map(Result::unwrap).collect();
    assert_eq!(numbers, [(LOBBY, Seq(stored + 1)), (LOBBY, Seq(stored + 2))]);
    drop(engine);
    let mut engine = SqliteLog::open(&path, GENERATION).unwrap();
    assert_eq!(texts(&mut engine, LOBBY).len() as u64, stored + 2);
}

/// Where a child finds its log.
const PATH: &str = "SEALGRAM_TEST_LOG";

/// This very program, to run one of its ignored tests on the log at `path`.
fn child(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(PATH, path);
    command
}
