//! The thread of the log: it commits what gathered while the last commit ran.

use crate::clock;
use crate::failure::{Context, Failure};
use crate::net::Mailbox;
use node_proto::log::{Append, Barrier, Effect, Engine, Lookup, Reply, RoomId, Seq};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

/// Appends of one commit.
const BATCH_ENTRIES: usize = 512;
/// Bytes of one commit, about.
const BATCH_BYTES: usize = 1 << 20;

/// A running log.
#[derive(Debug)]
pub struct LogThread {
    effects: Option<Sender<Effect>>,
    thread: Option<JoinHandle<()>>,
}

impl LogThread {
    /// Starts a thread for `engine` that answers into `replies`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn spawn(engine: Box<dyn Engine>, replies: Mailbox<Reply>) -> Result<Self, Failure> {
        let (sender, receiver) = mpsc::channel();
        let work = move || work(engine, &receiver, &replies);
        let thread = std::thread::Builder::new().name("log".into()).spawn(work);
        let thread = thread.context("cannot start the thread of the log")?;
        Ok(Self { effects: Some(sender), thread: Some(thread) })
    }

    /// Hands the log something to do; the hub keeps what is outstanding within its bounds.
    ///
    /// # Errors
    /// When the thread is gone.
    pub fn ask(&self, effect: Effect) -> Result<(), Failure> {
        let sent = self.effects.as_ref().is_some_and(|effects| effects.send(effect).is_ok());
        if sent { Ok(()) } else { Err(Failure::new("the log has stopped")) }
    }
}

impl Drop for LogThread {
    /// Waits until everything that was asked is done.
    fn drop(&mut self) {
        drop(self.effects.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            ::log::error!("the thread of the log ended in a panic");
        }
    }
}

fn work(mut engine: Box<dyn Engine>, effects: &Receiver<Effect>, replies: &Mailbox<Reply>) {
    let mut barrier = Barrier::default();
    while let Ok(first) = effects.recv() {
        let Gathered { appends, reads, lookups, mut answers } = gather(first, effects, &mut barrier);
        let committed = engine.commit(&appends, clock::unix_time());
        barrier.answered(&committed);
        answers.extend(committed);
        answers.extend(reads.into_iter().map(|(room, from)| engine.read(room, from)));
        answers.extend(lookups.iter().map(|lookup| engine.find(lookup)));
        for answer in answers {
            // A hub that is gone needs no answer, and its log ends with its channel.
            if !replies.put(answer) {
                return;
            }
        }
    }
}

/// What is done in one turn.
#[derive(Default)]
struct Gathered {
    appends: Vec<Append>,
    reads: Vec<(RoomId, Seq)>,
    lookups: Vec<Lookup>,
    /// What is answered without the engine.
    answers: Vec<Reply>,
}

fn gather(first: Effect, effects: &Receiver<Effect>, barrier: &mut Barrier) -> Gathered {
    let (mut gathered, mut bytes) = (Gathered::default(), 0);
    for effect in std::iter::once(first).chain(effects.try_iter()) {
        match effect {
            Effect::Append(append) => match barrier.stop(&append) {
                Some(refused) => gathered.answers.push(refused),
                None => {
                    bytes += append.cost();
                    gathered.appends.push(append);
                }
            },
            Effect::Read { room, from } => gathered.reads.push((room, from)),
            Effect::Heard => barrier.heard(),
            Effect::Find(lookup) => gathered.lookups.push(lookup),
        }
        if gathered.appends.len() >= BATCH_ENTRIES || bytes >= BATCH_BYTES {
            break;
        }
    }
    gathered
}
