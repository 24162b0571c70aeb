//! The hub keys a client has pinned, in `pins.json`: address to key and access secret.

use super::folder::{Folder, write_private};
use crate::failure::{Context, Failure};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use spec::invite::HubAddress;
use spec::limits::KEY_BYTES;
use spec::secret::Secret;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A hub as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its key.
    pub hub_key: [u8; KEY_BYTES],
    /// What makes it answer.
    pub access_secret: Secret<32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    key: String,
    secret: String,
}

/// All pins of one client.
#[derive(Debug)]
pub struct Pins {
    path: PathBuf,
    pins: BTreeMap<String, Pin>,
}

impl Pins {
    /// Reads the pins of a folder.
    ///
    /// # Errors
    /// When the file is damaged: a lost pin would be a lost warning.
    pub fn read(folder: &Folder) -> Result<Self, Failure> {
        let path = folder.file("pins.json");
        let damaged = || {
            Failure::new(format!("{} is damaged", path.display()))
                .advise("a backup of it, or remove it and compare fingerprints again")
        };
        let stored: BTreeMap<String, Stored> = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| damaged())?,
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
        };
        let pin = |(address, stored): (String, Stored)| Some((address, decode(&stored)?));
        let pins = stored.into_iter().map(pin).collect::<Option<_>>().ok_or_else(damaged)?;
        Ok(Self { path, pins })
    }

    /// The pin of a hub.
    #[must_use]
    pub fn get(&self, address: &HubAddress) -> Option<&Pin> {
        self.pins.get(&address.to_string())
    }

    /// All pins.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Pin)> {
        self.pins.iter().map(|(address, pin)| (address.as_str(), pin))
    }

    /// Pins a hub.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&mut self, address: &HubAddress, pin: Pin) -> Result<(), Failure> {
        if self.pins.insert(address.to_string(), pin.clone()) == Some(pin) {
            return Ok(());
        }
        self.write()
    }

    /// Forgets a hub; whether it was known.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&mut self, address: &HubAddress) -> Result<bool, Failure> {
        let was_known = self.pins.remove(&address.to_string()).is_some();
        if was_known {
            self.write()?;
        }
        Ok(was_known)
    }

    fn write(&self) -> Result<(), Failure> {
        let stored: BTreeMap<&str, Stored> =
            self.iter().map(|(address, pin)| (address, encode(pin))).collect();
        let text = serde_json::to_string_pretty(&stored).context("cannot write the pins")?;
        write_private(&self.path, &text).context(format!("cannot write {}", self.path.display()))
    }
}

fn encode(pin: &Pin) -> Stored {
    let secret = BASE64URL_NOPAD.encode(pin.access_secret.expose());
    Stored { key: BASE64URL_NOPAD.encode(&pin.hub_key), secret }
}

fn decode(stored: &Stored) -> Option<Pin> {
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok();
    Some(Pin { hub_key: bytes(&stored.key)?, access_secret: Secret::new(bytes(&stored.secret)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_survive_and_damage_is_said() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path(), "x").unwrap();
        let address: HubAddress = "chat.example:5555".parse().unwrap();
        let pin = Pin { hub_key: [1; 32], access_secret: Secret::new([2; 32]) };
        Pins::read(&folder).unwrap().set(&address, pin.clone()).unwrap();
        let mut pins = Pins::read(&folder).unwrap();
        assert_eq!(pins.get(&address), Some(&pin));
        assert!(pins.forget(&address).unwrap() && !pins.forget(&address).unwrap());
        assert_eq!(Pins::read(&folder).unwrap().iter().count(), 0);
        std::fs::write(folder.file("pins.json"), "{").unwrap();
        assert!(Pins::read(&folder).unwrap_err().to_string().contains("damaged"));
    }
}
