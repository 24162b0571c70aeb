//! How far a client has read a hub's rooms, so that a restart shows neither less nor more.

use super::folder::{Folder, write_private};
use crate::failure::{Context, Failure};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use node_proto::client::Resume;
use node_proto::log::{RoomId, Seq};
use serde::{Deserialize, Serialize};
use spec::limits::KEY_BYTES;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    generation: String,
    rooms: BTreeMap<u64, u64>,
}

/// The file of one hub.
#[derive(Debug)]
pub struct Reading {
    path: PathBuf,
    last: Option<Resume>,
}

impl Reading {
    /// The file for the hub with `hub_key`.
    #[must_use]
    pub fn of(folder: &Folder, hub_key: &[u8; KEY_BYTES]) -> Self {
        let path = folder.file(&format!("reading-{}.json", HEX.encode(&hub_key[..8])));
        Self { path, last: None }
    }

    /// Where reading goes on. A file that is missing or damaged means from the start: a line shown twice is
    /// better than one never shown.
    #[must_use]
    pub fn load(&self) -> Option<Resume> {
        let stored: Stored = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        let generation = HEX.decode(stored.generation.as_bytes()).ok()?.try_into().ok()?;
        let rooms = stored.rooms.into_iter().map(|(room, last)| (RoomId(room), Seq(last))).collect();
        Some(Resume { generation, rooms })
    }

    /// Notes how far reading has come, when it has.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&mut self, resume: Option<Resume>) -> Result<(), Failure> {
        if self.last == resume {
            return Ok(());
        }
        if let Some(resume) = &resume {
            let rooms = resume.rooms.iter().map(|(room, last)| (room.0, last.0)).collect();
            let stored = Stored { generation: HEX.encode(&resume.generation), rooms };
            let text = serde_json::to_string(&stored).context("cannot note what was read")?;
            write_private(&self.path, &text).context(format!("cannot write {}", self.path.display()))?;
        }
        self.last = resume;
        Ok(())
    }
}
