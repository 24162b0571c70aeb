//! `HandshakeState` of the Noise specification, revision 34, section 5.3, for patterns of the XK family.

use super::KeyPair;
use super::symmetric::SymmetricState;
use crate::crypto::{LowOrder, Unauthentic, x25519};
use crate::discard::Discard;
use crate::limits::KEY_BYTES;
use crate::secret::Secret;
use crate::wire::frame::Side;
use alloc::vec::Vec;

/// A token of a message pattern (section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// An ephemeral public key.
    E,
    /// A static public key, sealed.
    S,
    /// X25519 of both ephemeral keys.
    Ee,
    /// X25519 of the initiator's ephemeral and the responder's static key.
    Es,
    /// X25519 of the initiator's static and the responder's ephemeral key.
    Se,
    /// A pre-shared key.
    Psk,
}

/// A pattern whose one pre-message is the responder's static key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The full protocol name.
    pub name: &'static str,
    /// The three messages, the first by the initiator.
    pub messages: [&'static [Token]; 3],
}

/// The pattern of Sealgram, version 1.
pub const XK_PSK0_PSK2: Pattern = Pattern {
    name: "Noise_XKpsk0+psk2_25519_AESGCM_SHA256",
    messages: [
        &[Token::Psk, Token::E, Token::Es],
        &[Token::E, Token::Ee, Token::Psk],
        &[Token::S, Token::Se],
    ],
};

/// The results a key log may hold, as far as the handshake has come.
#[derive(Clone, Debug)]
pub struct Noted {
    /// The chaining key after `e` of message 1.
    pub chain: Secret<32>,
    /// The handshake hash after `e` of message 1.
    pub hash: Secret<32>,
    /// The result of `es`.
    pub es: Secret<32>,
    /// The result of `ee`.
    pub ee: Secret<32>,
    /// The result of `se`.
    pub se: Secret<32>,
}

/// What Split() gives.
#[derive(Debug)]
pub struct Split {
    /// The key from initiator to responder, k_c.
    pub initiator: Secret<32>,
    /// The key from responder to initiator, k_h.
    pub responder: Secret<32>,
    /// The handshake hash h.
    pub hash: [u8; 32],
}

/// One end of a handshake. A copy of it is as good as the original, so that messages are tried on copies.
#[derive(Clone, Debug)]
pub struct Handshake {
    symmetric: SymmetricState,
    pattern: Pattern,
    side: Side,
    done: usize,
    own_static: KeyPair,
    own_ephemeral: Option<KeyPair>,
    their_static: Option<[u8; KEY_BYTES]>,
    their_ephemeral: Option<[u8; KEY_BYTES]>,
    noted: Noted,
}

impl Handshake {
    /// An end that has sent and read nothing. `hub_static` is the responder's public key.
    #[must_use]
    pub fn new(
        pattern: Pattern,
        side: Side,
        prologue: &[u8],
        own_static: KeyPair,
        hub_static: [u8; KEY_BYTES],
    ) -> Self {
        let mut symmetric = SymmetricState::new(pattern.name);
        symmetric.mix_hash(prologue);
        symmetric.mix_hash(&hub_static);
        let none = || Secret::new([0; 32]);
        Self {
            symmetric,
            pattern,
            side,
            done: 0,
            own_static,
            own_ephemeral: None,
            their_static: (side == Side::Client).then_some(hub_static),
            their_ephemeral: None,
            noted: Noted { chain: none(), hash: none(), es: none(), ee: none(), se: none() },
        }
    }

    /// The peer's static key, once it is known.
    #[must_use]
    pub const fn their_static(&self) -> Option<&[u8; KEY_BYTES]> {
        self.their_static.as_ref()
    }

    /// `WriteMessage`: appends the next message. `ephemeral` is used by `e`, `psk` by `psk`.
    ///
    /// # Errors
    /// [`Discard::LowOrder`], and [`Discard::WrongState`] when a key the pattern needs is missing.
    pub fn write(
        &mut self,
        ephemeral: Option<KeyPair>,
        psk: Option<&Secret<32>>,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Discard> {
        self.own_ephemeral = ephemeral.or_else(|| self.own_ephemeral.take());
        for token in self.next_tokens()? {
            match token {
                Token::E => {
                    let public = *self.own_ephemeral.as_ref().ok_or(Discard::WrongState)?.public();
                    out.extend_from_slice(&public);
                    self.mix_ephemeral(&public);
                }
                Token::S => {
                    let public = *self.own_static.public();
                    self.symmetric.encrypt_and_hash(&public, out);
                }
                token => self.mix(*token, psk)?,
            }
        }
        self.symmetric.encrypt_and_hash(payload, out);
        Ok(())
    }

    /// `ReadMessage`: the payload of the next message. After an error the state is to be dropped: try it on a
    /// copy.
    ///
    /// # Errors
    /// [`Discard::Length`], [`Discard::LowOrder`], [`Discard::Unauthentic`] or [`Discard::WrongState`].
    pub fn read(&mut self, message: &[u8], psk: Option<&Secret<32>>) -> Result<Vec<u8>, Discard> {
        const SEALED_KEY_BYTES: usize = KEY_BYTES + crate::limits::TAG_BYTES;
        let mut rest = message;
        for token in self.next_tokens()? {
            match token {
                Token::E => {
                    let (public, tail) = rest.split_first_chunk().ok_or(Discard::Length)?;
                    rest = tail;
                    self.their_ephemeral = Some(*public);
                    self.mix_ephemeral(public);
                }
                Token::S => {
                    let (sealed, tail) =
                        rest.split_first_chunk::<SEALED_KEY_BYTES>().ok_or(Discard::Length)?;
                    rest = tail;
                    let key = self.open(sealed)?;
                    self.their_static = Some(key.try_into().map_err(|_| Discard::Length)?);
                }
                token => self.mix(*token, psk)?,
            }
        }
        self.open(rest)
    }

    /// Ends the handshake: the keys, and what a key log may hold.
    ///
    /// # Errors
    /// [`Discard::WrongState`] before the last message.
    pub fn split(self) -> Result<(Split, Noted), Discard> {
        if self.done != self.pattern.messages.len() {
            return Err(Discard::WrongState);
        }
        let [initiator, responder] = self.symmetric.split();
        Ok((Split { initiator, responder, hash: *self.symmetric.hash() }, self.noted))
    }

    fn next_tokens(&mut self) -> Result<&'static [Token], Discard> {
        let tokens = self.pattern.messages.get(self.done).ok_or(Discard::WrongState)?;
        self.done += 1;
        Ok(tokens)
    }

    fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, Discard> {
        self.symmetric.decrypt_and_hash(sealed).map_err(|Unauthentic| Discard::Unauthentic)
    }

    /// With a psk in the pattern, `e` is mixed into the key too (section 9.2).
    fn mix_ephemeral(&mut self, public: &[u8; KEY_BYTES]) {
        self.symmetric.mix_hash(public);
        if self.pattern.messages.iter().any(|tokens| tokens.contains(&Token::Psk)) {
            self.symmetric.mix_key(public);
        }
        if self.done == 1 {
            self.noted.chain = self.symmetric.chaining_key().clone();
            self.noted.hash = Secret::new(*self.symmetric.hash());
        }
    }

    fn mix(&mut self, token: Token, psk: Option<&Secret<32>>) -> Result<(), Discard> {
        if token == Token::Psk {
            let psk = psk.ok_or(Discard::WrongState)?;
            self.symmetric.mix_key_and_hash(psk.expose());
            return Ok(());
        }
        let result = self.agree(token)?;
        self.symmetric.mix_key(result.expose());
        match token {
            Token::Es => self.noted.es = result,
            Token::Ee => self.noted.ee = result,
            _ => self.noted.se = result,
        }
        Ok(())
    }

    /// The X25519 result of a token; which key is whose depends on the side.
    fn agree(&self, token: Token) -> Result<Secret<32>, Discard> {
        let own_is_ephemeral = match self.side {
            Side::Client => token != Token::Se,
            Side::Hub => token != Token::Es,
        };
        let their_is_ephemeral = match self.side {
            Side::Client => token != Token::Es,
            Side::Hub => token != Token::Se,
        };
        let own = if own_is_ephemeral { self.own_ephemeral.as_ref() } else { Some(&self.own_static) };
        let their = if their_is_ephemeral { self.their_ephemeral } else { self.their_static };
        let (Some(own), Some(their)) = (own, their) else { return Err(Discard::WrongState) };
        x25519(own.private(), &their).map_err(|LowOrder| Discard::LowOrder)
    }
}
