//! What can be typed.

use crate::exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use spec::invite::DEFAULT_PORT;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Private chat over UDP that you can check for yourself.
#[derive(Debug, Parser)]
#[command(version, after_help = exit::table!())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a hub: it gives the lobby one order and keeps what was said.
    #[command(after_help = HUB_EXAMPLES)]
    Hub(HubOptions),
    /// Join a hub, to talk or to pipe lines.
    #[command(after_help = JOIN_EXAMPLES)]
    Join(JoinOptions),
    /// See it all once: a hub and three clients over a bad link, a capture, and what dissect says of it.
    Demo(DemoOptions),
    /// The hub keys this machine has pinned.
    Trust(TrustOptions),
}

const HUB_EXAMPLES: &str = concat!(
    "\
Examples:
  node hub                                  listen on every address, port 5555
  node hub --listen 127.0.0.1:0 --json      any free port, events as JSON
  node hub --advertise chat.example.org     what the invite tells others to dial
  node hub --capture hub.pcapng             write every datagram, then: dissect hub.pcapng
  node hub --qlog qlog                      write what the transport does, for qvis and its like

",
    exit::table!()
);

const JOIN_EXAMPLES: &str = concat!(
    "\
Examples:
  node join --hub 'sealgram://…'            with the invite the hub printed
  node join --hub chat.example.org          an open hub: compare the 12 words, then it is pinned
  node join --hub 'sealgram://…' --name ann --device laptop
                                            one more device of ann's
  node join --hub 'sealgram://…' --name ann --password
                                            the same with the password that /passwd has set
  echo hi | node join --hub 'sealgram://…' --name robot --room dev
  node join --hub 'sealgram://…' --json --follow < /dev/null

",
    exit::table!()
);

/// How much is logged on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// And what may.
    Warn,
    /// And what happens.
    Info,
    /// And how.
    Debug,
}

/// `node hub`.
#[derive(Debug, Args)]
pub struct HubOptions {
    /// Address to listen on; repeat it for more than one (default: port 5555 on every IPv4 and IPv6 address)
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Vec<SocketAddr>,
    /// Folder of the hub's key, secret and log [default: the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What others should dial, as the invite says it
    #[arg(long, value_name = "HOST[:PORT]")]
    pub advertise: Option<String>,
    /// Let strangers ask for the key and join without an invite
    #[arg(long)]
    pub open: bool,
    /// Write every datagram to this pcapng file, with addresses and times
    #[arg(long, value_name = "FILE.pcapng")]
    pub capture: Option<PathBuf>,
    /// Write the secrets of every session to this file: whoever has it can read the conversation
    #[arg(long, value_name = "FILE")]
    pub keylog: Option<PathBuf>,
    /// Write what the transport does to this folder, one qlog file (JSON-SEQ) a session
    #[arg(long, value_name = "DIR")]
    pub qlog: Option<PathBuf>,
    /// Seconds a member may be away before it is announced
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub grace: u64,
    /// Keep nothing: the log is in memory and gone with the process
    #[arg(long)]
    pub forget: bool,
    /// How much is logged on stderr
    #[arg(long, value_enum, default_value_t = LogLevel::Warn)]
    pub log_level: LogLevel,
    /// Print events as JSON, one object a line; the first is "ready"
    #[arg(long)]
    pub json: bool,
}

/// `node join`.
#[derive(Debug, Args)]
pub struct JoinOptions {
    /// An invite, or where an open or known hub is
    #[arg(long, value_name = "INVITE|HOST:PORT")]
    pub hub: String,
    /// Your name [default: your user name]
    #[arg(long)]
    pub name: Option<String>,
    /// Room to talk in [default: the lobby]; you become a member of it
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,
    /// Folder of your key and pins [default: one for each name in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The name is yours already, on another device: join as one more, called DEVICE. It shows a code, and there
    /// you type /devices approve CODE
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The same, and it is your password that shows it: it is asked for; in a pipe it is the first line
    #[arg(long)]
    pub password: bool,
    /// The same, and the password is the first line of this file
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Print events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Stay to receive after the end of input
    #[arg(long)]
    pub follow: bool,
    /// Give up when the hub was not heard for so long [default: never at a terminal, else 60]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Write every datagram to this pcapng file, with addresses and times
    #[arg(long, value_name = "FILE.pcapng")]
    pub capture: Option<PathBuf>,
    /// Write the secrets of your sessions to this file: whoever has it can read the conversation
    #[arg(long, value_name = "FILE")]
    pub keylog: Option<PathBuf>,
    /// Write what the transport does to this folder, one qlog file (JSON-SEQ) a session
    #[arg(long, value_name = "DIR")]
    pub qlog: Option<PathBuf>,
    /// Trust the key that an open hub claims, without asking
    #[arg(long)]
    pub accept_new: bool,
}

/// `node demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// What the bad link does is decided by this number
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keep capture and key log in this folder [default: a new one in the temporary folder]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// `node trust`.
#[derive(Debug, Args)]
pub struct TrustOptions {
    /// What to do.
    #[command(subcommand)]
    pub command: TrustCommand,
}

/// Whose pins.
#[derive(Debug, Args)]
pub struct TrustPlace {
    /// The name you join under [default: your user name]
    #[arg(long)]
    pub name: Option<String>,
    /// The folder you join with
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What to do with pins.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Show the hubs that are pinned, with their fingerprints.
    List(TrustPlace),
    /// Forget a hub's key; the next join asks anew.
    Forget {
        /// Where the hub is, as it was joined.
        #[arg(value_name = "HOST:PORT")]
        hub: String,
        /// Whose pin.
        #[command(flatten)]
        place: TrustPlace,
    },
}

/// The addresses of a hub that was told none.
#[must_use]
pub fn default_listen() -> [SocketAddr; 2] {
    [SocketAddr::from(([0, 0, 0, 0], DEFAULT_PORT)), SocketAddr::from(([0; 16], DEFAULT_PORT))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_help_says() {
        for name in ["hub", "join", "demo", "trust"] {
            let mut command = Cli::command();
            command.build();
            let command = command.find_subcommand_mut(name).unwrap();
            let help = command.clone().term_width(100).render_long_help().to_string();
            insta::assert_snapshot!(name, help);
        }
    }
}
