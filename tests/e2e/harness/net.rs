//! Networks of a test's own: a machine in the middle, and others that only reach it.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Namespaces that go away with the test. Machine `n` (from 0) is at 10.77.n.2, and reaches the middle at 10.77.n.1.
#[derive(Debug)]
pub(crate) struct Net {
    prefix: String,
    machines: u8,
}

impl Net {
    /// So many machines around one; nothing where that is not allowed.
    pub(crate) fn new(machines: u8) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let net = Self { prefix: format!("sgm-{}-{number}", std::process::id()), machines };
        let is_made = try_ip(&format!("netns add {}", net.middle()));
        if !is_made {
            println!("skipped: ip");
            return None;
        }
        for machine in 0..machines {
            let (name, middle) = (net.machine(machine), net.middle());
            ip(&format!("netns add {name}"));
            ip(&format!("-n {middle} link add e{machine} type veth peer name e0 netns {name}"));
            ip(&format!("-n {middle} addr add {}/24 dev e{machine}", Self::gateway(machine)));
            ip(&format!("-n {middle} link set e{machine} up"));
            ip(&format!("-n {name} addr add {}/24 dev e0", Self::address(machine, 2)));
            ip(&format!("-n {name} link set e0 up"));
            ip(&format!("-n {name} link set lo up"));
        }
        Some(net)
    }

    /// The address of the middle that `machine` reaches.
    pub(crate) const fn gateway(machine: u8) -> Ipv4Addr {
        Self::address(machine, 1)
    }

    /// An address that `machine` may have.
    pub(crate) const fn address(machine: u8, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, machine, host)
    }

    /// The middle gets another address towards `machine`, in addition.
    pub(crate) fn add_gateway(&self, machine: u8, host: u8) -> Ipv4Addr {
        let address = Self::address(machine, host);
        ip(&format!("-n {} addr add {address}/24 dev e{machine}", self.middle()));
        address
    }

    /// `machine` has another address, and the old one is gone at once.
    pub(crate) fn move_to(&self, machine: u8, host: u8) {
        let name = self.machine(machine);
        ip(&format!("-n {name} addr flush dev e0"));
        ip(&format!("-n {name} addr add {}/24 dev e0", Self::address(machine, host)));
    }

    /// The same command on `machine`.
    pub(crate) fn on(&self, machine: u8, command: &Command) -> Command {
        let mut moved = Command::new("ip");
        moved.args(["netns", "exec", &self.machine(machine)]);
        moved.arg(command.get_program()).args(command.get_args());
        moved
    }

    /// Does something in the middle; threads it starts stay there.
    pub(crate) fn in_the_middle<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let file = File::open(format!("/run/netns/{}", self.middle())).expect("it has a file");
        let moved = move || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("it can be entered");
            work()
        };
        std::thread::spawn(moved).join().expect("it works there")
    }

    fn middle(&self) -> String {
        format!("{}-mid", self.prefix)
    }

    fn machine(&self, machine: u8) -> String {
        format!("{}-{machine}", self.prefix)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in (0..self.machines).map(|machine| self.machine(machine)).chain([self.middle()]) {
            // It may never have been made.
            try_ip(&format!("netns del {name}"));
        }
    }
}

fn ip(arguments: &str) {
    assert!(try_ip(arguments), "ip {arguments}");
}

fn try_ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
}
