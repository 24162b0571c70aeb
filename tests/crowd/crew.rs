//! A process full of members: one thread, a socket each, and the link that loses.

use crate::member::Member;
use node::clock::Clock;
use node::net::{Mailbox, Wires, bind};
use node_proto::Client;
use node_proto::client::ClientConfig;
use node_proto::connection::KeyPolicy;
use node_proto::random::Random;
use node_proto::transmit::Path;
use spec::discard::Discard;
use spec::handshake::KeyPair;
use spec::invite::Invite;
use std::fmt;
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::mpsc::Receiver;

/// Where a crew finds its arguments.
pub(crate) const ARGUMENTS: &str = "SEALGRAM_TEST_CREW";
/// Members that join at a time: a crowd does not come through a door at once.
const JOINING_MAX: usize = 16;

/// What a crew is told when it starts.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) invite: String,
    /// The number of its first member, and how many it has.
    pub(crate) first: u32,
    pub(crate) members: u32,
    /// Members of all crews.
    pub(crate) all: u32,
    pub(crate) lines: u32,
    pub(crate) loss_per_mille: u64,
}

impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invite, first, members, all, lines, loss_per_mille } = self;
        write!(f, "{invite} {first} {members} {all} {lines} {loss_per_mille}")
    }
}

impl FromStr for Arguments {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let invite = words.next().unwrap_or_default().to_owned();
        let mut number = || words.next().unwrap_or_default().parse::<u32>();
        let (first, members, all, lines) = (number()?, number()?, number()?, number()?);
        Ok(Self { invite, first, members, all, lines, loss_per_mille: number()?.into() })
    }
}

/// The link of a process: so many of 1000 datagrams do not pass, each way.
struct Loss {
    random: Random,
    per_mille: u64,
    carried: u64,
    lost: u64,
}

impl Loss {
    fn passes(&mut self) -> bool {
        self.carried += 1;
        let is_lost = self.random.number() % 1000 < self.per_mille;
        self.lost += u64::from(is_lost);
        !is_lost
    }
}

/// Members, and what they share.
pub(crate) struct Crew {
    members: Vec<Member>,
    /// How many have begun to join.
    begun: usize,
    wires: Wires,
    loss: Loss,
    clock: Clock,
    /// What the test says.
    told: Receiver<String>,
    /// Whether it said to talk, and that it is over.
    talks: bool,
    is_over: bool,
    out: Vec<u8>,
}

impl Crew {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let clock = Clock::start();
        let invite: Invite = arguments.invite.parse().unwrap();
        let remote = SocketAddr::new(invite.address.host.parse().unwrap(), invite.address.port);
        let numbers = arguments.first..arguments.first + arguments.members;
        let sockets = numbers.clone().map(|number| {
            // Everyone is in a network of their own, as far as the hub can tell.
            let [_, _, high, low] = (number + 256).to_be_bytes();
            let socket = bind(SocketAddr::from((Ipv4Addr::new(127, high, low, 1), 0))).unwrap();
            socket.connect(remote).unwrap();
            socket
        });
        let wires = Wires::new(sockets.collect(), None).unwrap();
        let member = |(socket, number): (usize, u32)| {
            let config = ClientConfig {
                identity: KeyPair::new(node::entropy::secret().unwrap()),
                hub_key: invite.hub_key,
                access_secret: invite.access_secret.clone(),
                token: Vec::new(),
                name: format!("member {number}"),
                key_log: false,
                resume: None,
                keys: KeyPolicy::default(),
            };
            let (path, seed) = (Path::new(remote, socket), node::entropy::bytes().unwrap());
            Member::new(Client::new(clock.now(), config, path, seed), number, arguments.all, arguments.lines)
        };
        let members = (0..).zip(numbers).map(member).collect();
        let (mailbox, told) = wires.mailbox(16);
        std::thread::spawn(move || listen_to_test(&mailbox));
        let random = Random::new([u8::try_from(arguments.first % 251).unwrap(); 32]);
        let loss = Loss { random, per_mille: arguments.loss_per_mille, carried: 0, lost: 0 };
        Self { members, begun: 0, wires, loss, clock, told, talks: false, is_over: false, out: Vec::new() }
    }

    /// Joins, talks when told to, and leaves with the test.
    pub(crate) fn run(&mut self) {
        self.turn_until(|crew| crew.members.iter().all(Member::is_connected));
        println!("\njoined");
        self.turn_until(|crew| {
            if crew.talks {
                crew.members.iter_mut().for_each(Member::speak);
            }
            crew.members.iter().all(Member::has_read_all)
        });
        let digest = self.members[0].digest();
        assert!(self.members.iter().all(|member| member.digest() == digest), "one order for all");
        let read: u64 = self.members.iter().map(Member::read).sum();
        println!("\nread {digest} {read} {} {}", self.loss.carried, self.loss.lost);
        self.turn_until(|_| false);
    }

    /// Goes on until `enough`, or until the test is over.
    fn turn_until(&mut self, mut enough: impl FnMut(&mut Self) -> bool) {
        while !self.is_over && !enough(self) {
            self.begin();
            self.flush();
            let alarm = self.members[..self.begun].iter().filter_map(|member| member.alarm).min();
            self.wires.wait(alarm.map(|at| self.clock.until(at))).unwrap();
            self.receive();
            for line in self.told.try_iter() {
                self.talks |= line == "talk";
                self.is_over |= line.is_empty();
            }
        }
    }

    /// The next of those who are not here join.
    fn begin(&mut self) {
        let here = self.members.iter().filter(|member| member.is_connected()).count();
        self.begun = (here + JOINING_MAX).min(self.members.len()).max(self.begun);
    }

    fn flush(&mut self) {
        let now = self.clock.now();
        let Self { members, wires, loss, out, begun, .. } = self;
        for member in &mut members[..*begun] {
            if member.alarm.is_some_and(|at| at <= now) {
                member.client.handle_timeout(now);
                member.is_touched = true;
            }
            if !member.is_touched {
                continue;
            }
            member.listen();
            while wires.has_room()
                && let Some(transmit) = member.client.poll_transmit(now, out)
            {
                let kept: Vec<u8> =
                    transmit.datagrams(out).filter(|_| loss.passes()).flatten().copied().collect();
                if !kept.is_empty() {
                    wires.send(&transmit, &kept);
                }
            }
            member.is_touched = !wires.has_room();
            member.alarm = member.client.poll_timeout().map(|(at, _)| at);
        }
    }

    fn receive(&mut self) {
        let now = self.clock.now();
        let Self { members, wires, loss, .. } = self;
        wires.receive(|arrival, datagram| {
            let Some(member) = members.get_mut(arrival.path.socket) else { return };
            if loss.passes() {
                let _: Result<(), Discard> = member.client.handle_datagram(now, arrival, datagram);
                member.is_touched = true;
            }
        });
    }
}

/// Lines of the test; an empty one when there are no more.
fn listen_to_test(mailbox: &Mailbox<String>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if !mailbox.put(line) {
            return;
        }
    }
    let _: bool = mailbox.put(String::new());
}
