//! A hub's folder: its identity, its access secret, its log.

use super::folder::{Folder, default_path, write_private};
use crate::failure::{Context, Failure};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use node_proto::hub::LoginConfig;
use spec::gate::OPEN_ACCESS_SECRET;
use spec::handshake::KeyPair;
use spec::secret::Secret;
use std::path::{Path, PathBuf};

/// The file of the attempts that were counted.
const ATTEMPTS: &str = "attempts";

/// What a hub keeps.
#[derive(Debug)]
pub struct HubData {
    folder: Folder,
    /// Its identity.
    pub identity: KeyPair,
    access_secret: Secret<32>,
}

impl HubData {
    /// Opens the folder, and fills it on first start.
    ///
    /// # Errors
    /// As [`Folder::open`] and [`Folder::secret`].
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let path = path.map_or_else(|| default_path(&["hub"]), |path| Ok(path.to_owned()))?;
        let folder = Folder::open(&path, "another hub")?;
        let (identity, access_secret) = (folder.identity()?, folder.secret("access-secret")?);
        Ok(Self { folder, identity, access_secret })
    }

    /// What passwords need: a secret that is made once, and the attempts that were counted.
    ///
    /// # Errors
    /// As [`Folder::secret`].
    pub fn logins(&self) -> Result<LoginConfig, Failure> {
        let secret = self.folder.secret("login-secret")?;
        // Without the file, or with one that is damaged, counting begins anew.
        let kept = std::fs::read_to_string(self.folder.file(ATTEMPTS)).unwrap_or_default();
        let attempts = HEX.decode(kept.trim().as_bytes()).unwrap_or_default();
        Ok(LoginConfig { secret, attempts })
    }

    /// Keeps the attempts that were counted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_attempts(&self, kept: &[u8]) -> Result<(), Failure> {
        let path = self.folder.file(ATTEMPTS);
        write_private(&path, &HEX.encode(kept)).context(format!("cannot write {}", path.display()))
    }

    /// Where the log is.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.folder.file("log.sqlite")
    }

    /// The secrets that open the gate, that of new invites first. An open hub still knows those who were invited.
    #[must_use]
    pub fn access_secrets(&self, is_open: bool) -> Vec<Secret<32>> {
        let own = self.access_secret.clone();
        if is_open { vec![Secret::new(OPEN_ACCESS_SECRET), own] } else { vec![own] }
    }
}
