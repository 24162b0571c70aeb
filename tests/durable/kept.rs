//! What is in a log, read as SQLite by somebody else.

use crate::speaker::{Speaker, Told};
use data_encoding::HEXLOWER as HEX;
use rusqlite::Connection;
use spec::wire::entry::{Entry, EntryKind};
use std::path::Path;

/// A line of the lobby.
#[derive(Debug)]
struct Line {
    told: Told,
    from: String,
    text: String,
}

/// The lines of the lobby, in order.
#[derive(Debug)]
pub(crate) struct Kept {
    lines: Vec<Line>,
}

impl Kept {
    /// Reads the log of a hub: SQLite finds nothing wrong with it, and no room has a hole.
    pub(crate) fn read(folder: &Path) -> Self {
        let db = Connection::open(folder.join("log.sqlite")).unwrap();
        let text = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("PRAGMA integrity_check"), "ok");
        let holes = "SELECT count(*) FROM (SELECT 1 FROM entries GROUP BY room HAVING count(*) != max(seq))";
        assert_eq!(text(&format!("SELECT CAST(({holes}) AS TEXT)")), "0", "a room has a hole");
        let sql = "SELECT seq, entry FROM entries WHERE room = 1 ORDER BY seq";
        let mut query = db.prepare(sql).unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let lines = rows.filter_map(|row: rusqlite::Result<(u64, Vec<u8>)>| {
            let (sequence, bytes) = row.unwrap();
            let entry = Entry::decode(&bytes).unwrap();
            (entry.kind == EntryKind::Text).then(|| Line {
                told: Told { id: HEX.encode(&entry.id.0), sequence },
                from: entry.name.to_owned(),
                text: String::from_utf8(entry.body.to_vec()).unwrap(),
            })
        });
        Self { lines: lines.collect() }
    }

    /// Everything that `speaker` said is there once and in order, at the places it was told.
    pub(crate) fn assert_holds(&self, speaker: &Speaker) {
        let own = self.lines.iter().filter(|line| line.from == speaker.name);
        let (texts, mut places): (Vec<String>, Vec<Told>) =
            own.map(|line| (line.text.clone(), line.told.clone())).unzip();
        let said: Vec<String> = (0..speaker.said).map(|number| speaker.text(number)).collect();
        assert_eq!(texts, said, "{}: once and in order", speaker.name);
        let mut told = speaker.told.clone();
        told.sort_by_key(|told| told.sequence);
        places.retain(|place| told.iter().any(|told| told.id == place.id));
        assert_eq!(places, told, "{}: where it was told", speaker.name);
    }

    /// Who said what.
    pub(crate) fn conversation(&self) -> Vec<(String, String)> {
        self.lines.iter().map(|line| (line.from.clone(), line.text.clone())).collect()
    }
}
