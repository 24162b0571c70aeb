//! A folder for everything that one test leaves behind, and the programs that live in it.

use super::build::program;
use super::process::Process;
use spec::invite::Invite;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A folder that goes away with the test.
#[derive(Debug)]
pub(crate) struct Place {
    home: TempDir,
}

impl Place {
    /// A new one.
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("there is a temporary folder") }
    }

    /// The path of something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The same as an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("it is UTF-8").to_owned()
    }

    /// `node` with these arguments.
    pub(crate) fn node(arguments: &[&str]) -> Command {
        let mut command = Command::new(program("node"));
        command.args(arguments);
        command
    }

    /// `node hub` on a port that is free, with its data in `hub`.
    pub(crate) fn hub(&self, arguments: &[&str]) -> Hub {
        self.hub_at("127.0.0.1:0", "hub", arguments)
    }

    /// `node hub` on `address` with its data in the folder `data`.
    pub(crate) fn hub_at(&self, address: &str, data: &str, arguments: &[&str]) -> Hub {
        Hub::start(self.hub_command(address, data).arg("--json").args(arguments))
    }

    /// The command of a hub.
    pub(crate) fn hub_command(&self, address: &str, data: &str) -> Command {
        let mut command = Self::node(&["hub", "--listen", address, "--data"]);
        command.arg(self.path(data));
        command
    }

    /// `node join --json` under `name`, with its data in a folder of that name.
    pub(crate) fn join(&self, hub: &str, name: &str, arguments: &[&str]) -> Process {
        Process::start(self.join_command(hub, name).arg("--json").args(arguments))
    }

    /// The same, staying after the end of its input.
    pub(crate) fn stay(&self, hub: &Hub, name: &str) -> Process {
        self.join(&hub.invite(), name, &["--follow"])
    }

    /// The command of a client.
    pub(crate) fn join_command(&self, hub: &str, name: &str) -> Command {
        let mut command = Self::node(&["join", "--hub", hub, "--name", name, "--data"]);
        command.arg(self.path(name));
        command
    }
}

/// A running hub.
#[derive(Debug)]
pub(crate) struct Hub {
    /// The process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its invite.
    pub(crate) invite: Invite,
    /// Its fingerprint in words.
    pub(crate) fingerprint: String,
}

impl Hub {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        let ready = process.wait_for("the hub is ready", |line| line.is("ready"));
        let address = ready["listen"][0].as_str().and_then(|address| address.parse().ok());
        let invite = ready["invite"].as_str().and_then(|invite| invite.parse().ok());
        Self {
            process,
            address: address.expect("it listens somewhere"),
            invite: invite.expect("it has an invite"),
            fingerprint: ready["fingerprint"].as_str().expect("it has a fingerprint").to_owned(),
        }
    }

    /// The invite as a text.
    pub(crate) fn invite(&self) -> String {
        self.invite.to_string()
    }

    /// The invite, through something else that listens at `address`.
    pub(crate) fn invite_by(&self, address: SocketAddr) -> String {
        let mut invite = self.invite.clone();
        invite.address = address.to_string().parse().expect("it is an address");
        invite.to_string()
    }
}
