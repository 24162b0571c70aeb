//! `node demo`: a whole conversation over a bad link, its capture, and what `dissect` says of it.

mod child;
pub mod relay;

use crate::cli::DemoOptions;
use crate::exit;
use crate::failure::{Context, Failure};
use crate::output;
use child::Child;
use dissect::verdict::Outcome;
use relay::{Badness, Relay};
use spec::invite::Invite;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const NAMES: [&str; 3] = ["ann", "bob", "cy"];

/// Who says what.
const SCRIPT: [(usize, &str); 7] = [
    (0, "Hello! Can anyone on this network read what I write?"),
    (1, "They see that datagrams come and go, and how large each is."),
    (2, "Almost a third of them are lost on this link, by the way."),
    (0, "/me looks at the capture"),
    (1, "Each line is numbered by the hub: the same order on every screen."),
    (2, "And the capture is yours to check. Do not believe us."),
    (0, "Let us see what dissect makes of it."),
];

/// A text of the script that must not be found on the wire.
const CANARY: &str = "the same order on every screen";

/// Shows it all once.
///
/// # Errors
/// When a part of it does not start, or a line does not arrive.
pub fn run(options: &DemoOptions) -> Result<ExitCode, Failure> {
    let folder = folder(options)?;
    say("A hub and three clients, real processes, on loopback.")?;
    say("The link between them loses 30 %, doubles 10 % and disorders 25 % of all datagrams.\n")?;
    let stage = Stage::set(&folder, options.seed)?;
    let (carried, lost) = stage.play()?;
    say(&format!(
        "\nThe link carried {carried} datagrams and lost {lost}. Nothing said was lost, doubled or disordered."
    ))?;
    say("\nWhat an outsider can prove from the capture, without any key:\n")?;
    let without = judge(&folder, false)?;
    say("\nWhat you can prove with the key log of the four programs:\n")?;
    let with = judge(&folder, true)?;
    next_steps(&folder)?;
    let proved = without == Outcome::Proved && with == Outcome::Proved;
    Ok(ExitCode::from(if proved { exit::DONE } else { exit::FAILURE }))
}

fn folder(options: &DemoOptions) -> Result<PathBuf, Failure> {
    let fresh = || std::env::temp_dir().join(format!("sealgram-demo-{}", std::process::id()));
    let folder = options.keep.clone().unwrap_or_else(fresh);
    if folder.join("demo.pcapng").exists() {
        return Err(
            Failure::new(format!("{} holds an earlier demo", folder.display())).advise("another folder")
        );
    }
    std::fs::create_dir_all(&folder).context(format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

fn say(text: &str) -> Result<(), Failure> {
    output::line(text).context("cannot write to stdout")
}

/// The programs and the link between them.
struct Stage {
    hub: Child,
    relay: Relay,
    clients: Vec<Child>,
}

impl Stage {
    fn set(folder: &Path, seed: u64) -> Result<Self, Failure> {
        let file = |name: &str| folder.join(name).display().to_string();
        let hub = Child::start(
            "the hub",
            &["hub", "--listen", "127.0.0.1:0", "--json", "--data", &file("hub"), "--capture"],
            &[&file("demo.pcapng"), "--keylog", &file("hub.keys")],
        )?;
        let ready = hub.wait_for(|event| event["event"] == "ready")?;
        let invite = ready["invite"].as_str().unwrap_or_default();
        let mut invite: Invite = invite.parse().context("the hub printed no invite")?;
        let listen = ready["listen"][0].as_str().unwrap_or_default();
        let relay = Relay::start(listen.parse().context("the hub printed no address")?, Badness::BAD, seed)?;
        invite.address.port = relay.address().port();
        let invite = invite.to_string();
        let join = |name: &&str| {
            let keys = file(&format!("{name}.keys"));
            Child::start(
                name,
                &["join", "--hub", &invite, "--name", name, "--data", &file(name)],
                &["--json", "--follow", "--keylog", &keys],
            )
        };
        let clients = NAMES.iter().map(join).collect::<Result<Vec<_>, _>>()?;
        for client in &clients {
            client.wait_for(|event| event["event"] == "connected")?;
            say(&format!("* {} joined", client.name()))?;
        }
        Ok(Self { hub, relay, clients })
    }

    /// Every line is said when the one before has reached every screen. What the link did is returned.
    fn play(mut self) -> Result<(u64, u64), Failure> {
        for (who, line) in SCRIPT {
            self.clients[who].type_line(line)?;
            let said = line.strip_prefix("/me ").unwrap_or(line);
            for client in &self.clients {
                client.wait_for(|event| event["event"] == "message" && event["text"] == said)?;
            }
            let name = NAMES[who];
            say(&if said == line { format!("<{name}> {said}") } else { format!("* {name} {said}") })?;
        }
        self.hub.type_line("/quit")?;
        for client in &self.clients {
            client.wait_for(|event| event["event"] == "closed")?;
        }
        self.hub.wait_for(|event| event["event"] == "closed")?;
        self.hub.wait_for_end();
        Ok(self.relay.counts())
    }
}

fn judge(folder: &Path, with_keys: bool) -> Result<Outcome, Failure> {
    let path = folder.join("demo.pcapng");
    let mut options = dissect::Options { canaries: vec![CANARY.into()], ..dissect::Options::default() };
    if with_keys {
        let mut keys = dissect::KeyLog::default();
        for name in ["hub"].iter().chain(&NAMES) {
            let text = std::fs::read_to_string(folder.join(format!("{name}.keys"))).unwrap_or_default();
            keys.merge(dissect::KeyLog::parse(&text).context("cannot read the key log")?);
        }
        options.key_log = Some(keys);
    }
    let file = File::open(&path).context(format!("cannot open {}", path.display()))?;
    let report = dissect::analyse(file, &options).context(format!("cannot read {}", path.display()))?;
    let style = dissect::render::Style { colour: false, packets: false };
    let mut text = Vec::new();
    dissect::render::text(&report, style, &mut text).context("cannot print the verdict")?;
    say(String::from_utf8_lossy(&text).trim_end())?;
    Ok(report.verdict.outcome)
}

fn next_steps(folder: &Path) -> Result<(), Failure> {
    let folder = folder.display();
    say(&format!(
        "\nTry next (capture and key logs are in {folder}):
  dissect {folder}/demo.pcapng
  dissect {folder}/demo.pcapng --canary '{CANARY}'
  dissect {folder}/demo.pcapng --keylog {folder}/hub.keys
  tshark -r {folder}/demo.pcapng
  node hub                                a hub of your own
  node join --hub 'sealgram://…'          with the invite it prints"
    ))
}
