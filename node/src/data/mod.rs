//! What is kept on disk besides the log: folders, identities, secrets, pins.

pub mod folder;
pub mod hub;
pub mod pins;
pub mod reading;

pub use folder::Folder;
