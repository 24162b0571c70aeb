//! A bad link between two network namespaces: all of their IP packets go through this process, which delays them
//! all and loses some. What it does to a UDP datagram it does to a TCP segment.

use node::clock::Clock;
use node_proto::random::Random;
use spec::time::Instant;
use std::io;
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use tun_tap::{Iface, Mode};

/// Bytes of an IP packet.
const MTU_BYTES: usize = 1500;

/// A network namespace that is joined to the rest of the world by the link alone; it goes when dropped.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
    /// Its address.
    pub(crate) address: IpAddr,
}

impl Namespace {
    fn new(name: String, host: u8) -> io::Result<(Self, Iface)> {
        run("ip", &["netns", "add", &name])?;
        let namespace = Self { address: IpAddr::from([10, 77, 0, host]), name };
        let device = Iface::without_packet_info(&namespace.name, Mode::Tun)?;
        run("ip", &["link", "set", device.name(), "netns", &namespace.name])?;
        let address = format!("{}/24", namespace.address);
        // What the kernel says by itself would be lost in place of what is raced.
        namespace.run("sysctl", &["-qw", "net.ipv6.conf.all.disable_ipv6=1"])?;
        namespace.run("ip", &["address", "add", &address, "dev", device.name()])?;
        namespace.run("ip", &["link", "set", device.name(), "up"])?;
        Ok((namespace, device))
    }

    /// The command of a program in it.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> io::Result<()> {
        succeed(self.command(program).args(arguments))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // One that stays behind has a name that nobody uses again.
        drop(run("ip", &["netns", "delete", &self.name]));
    }
}

fn run(program: &str, arguments: &[&str]) -> io::Result<()> {
    succeed(Command::new(program).args(arguments))
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(io::Error::other(text.trim().to_owned())) }
}

/// The link and its ends.
#[derive(Debug)]
pub(crate) struct Link {
    /// One end.
    pub(crate) left: Namespace,
    /// The other.
    pub(crate) right: Namespace,
    loss_per_mille: Arc<AtomicU64>,
}

impl Link {
    /// A link that takes `delay` each way and loses nothing yet; `seed` decides what it loses later.
    ///
    /// # Errors
    /// Without the rights to make namespaces and devices.
    pub(crate) fn new(delay: Duration, seed: u64) -> io::Result<Self> {
        let process = std::process::id();
        let (left, left_device) = Namespace::new(format!("raceL{process}"), 1)?;
        let (right, right_device) = Namespace::new(format!("raceR{process}"), 2)?;
        let (left_device, right_device) = (Arc::new(left_device), Arc::new(right_device));
        let loss_per_mille = Arc::new(AtomicU64::new(0));
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut random = Random::new(bytes);
        for (from, to) in [(&left_device, &right_device), (&right_device, &left_device)] {
            let direction = Direction {
                from: Arc::clone(from),
                delay,
                random: Random::new(random.array()),
                loss_per_mille: Arc::clone(&loss_per_mille),
                clock: Clock::start(),
            };
            direction.start(Arc::clone(to));
        }
        Ok(Self { left, right, loss_per_mille })
    }

    /// From now on it loses so many of 1000 packets.
    pub(crate) fn set_loss(&self, loss_per_mille: u64) {
        self.loss_per_mille.store(loss_per_mille, Ordering::Relaxed);
    }
}

/// One direction: a thread that reads and loses, and one that delays and writes.
struct Direction {
    from: Arc<Iface>,
    delay: Duration,
    random: Random,
    loss_per_mille: Arc<AtomicU64>,
    clock: Clock,
}

impl Direction {
    fn start(self, to: Arc<Iface>) {
        let (sender, receiver) = mpsc::channel();
        let clock = self.clock;
        std::thread::spawn(move || self.read(&sender));
        std::thread::spawn(move || write(&to, &receiver, clock));
    }

    /// Ends when the device goes with its namespace.
    fn read(mut self, to: &Sender<(Instant, Vec<u8>)>) {
        let mut buffer = [0; MTU_BYTES];
        while let Ok(len) = self.from.recv(&mut buffer) {
            let is_lost = self.random.number() % 1000 < self.loss_per_mille.load(Ordering::Relaxed);
            let due = self.clock.now() + self.delay;
            if !is_lost && to.send((due, buffer[..len].to_vec())).is_err() {
                return;
            }
        }
    }
}

fn write(to: &Iface, from: &Receiver<(Instant, Vec<u8>)>, clock: Clock) {
    for (due, packet) in from {
        while clock.now() < due {
            std::thread::park_timeout(clock.until(due));
        }
        // What a device that is gone does not take is lost.
        drop(to.send(&packet));
    }
}
