//! Passwords that the hub never sees: OPAQUE (RFC 9807) with Ristretto255, SHA-512, 3DH and Argon2id.
//!
//! Bytes in, bytes out: what a message holds is the library's. A login holds only in the session whose context both
//! ends name ([`spec::binding::opaque_context`]); the hub's static key is the server's identity in every record.

use crate::random::Random;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use opaque_ke::errors::InternalError;
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use opaque_ke::ksf::Ksf;
use opaque_ke::rand::{CryptoRng, Error, RngCore};
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialFinalization, CredentialRequest, CredentialResponse,
    Identifiers, RegistrationRequest, RegistrationResponse, Ristretto255, ServerLogin, ServerLoginParameters,
    ServerRegistration, ServerSetup, TripleDh,
};
use spec::limits::KEY_BYTES;
use spec::secret::Secret;
use spec::wire::login::{Stretch, bytes};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Salt of Argon2id: OPAQUE gives it a secret that no two records share, and no salt (RFC 9807 section 7).
const NO_SALT: [u8; 16] = [0; 16];

struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2_0_10::Sha512>;
    type Ksf = Argon2id;
}

/// Argon2id with what it is to spend.
struct Argon2id(Stretch);

impl Default for Argon2id {
    fn default() -> Self {
        Self(Stretch::NEW)
    }
}

impl Ksf for Argon2id {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        use argon2::{Algorithm, Argon2, Params, Version};
        let Stretch { memory_kib, passes, lanes } = self.0;
        let params = Params::new(memory_kib, passes, lanes, None).map_err(|_| InternalError::KsfError)?;
        let mut output = GenericArray::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&input, &NO_SALT, &mut output)
            .map_err(|_| InternalError::KsfError)?;
        Ok(output)
    }
}

/// Our randomness, as the library's version of the traits has it.
struct Draw<'a>(&'a mut Random);

impl RngCore for Draw<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "half of the number is as random as all of it")]
    fn next_u32(&mut self) -> u32 {
        self.0.number() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0.number()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        self.0.fill(dest);
        Ok(())
    }
}

impl CryptoRng for Draw<'_> {}

fn identifiers(hub_key: &[u8; KEY_BYTES]) -> Identifiers<'_> {
    Identifiers { client: None, server: Some(hub_key) }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

/// A password; what differs only in how characters are put together is one (RFC 8265 section 4).
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password that was typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.nfc().collect()))
    }

    /// Its characters.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

// the hub

/// What a hub needs to work with passwords: made once, from a secret that is kept.
pub struct Keeper {
    setup: ServerSetup<Suite>,
    /// Copied where there is no record, so that as much is done as where there is one.
    decoy: Record,
    hub_key: [u8; KEY_BYTES],
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper(…)")
    }
}

/// What is kept of a password.
#[derive(Clone)]
pub struct Record(ServerRegistration<Suite>);

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record(…)")
    }
}

impl Record {
    /// Reads a record; `None` when it is none.
    #[must_use]
    pub fn read(record: &[u8; bytes::RECORD]) -> Option<Self> {
        ServerRegistration::deserialize(record).ok().map(Self)
    }
}

/// A login that waits for its last message.
pub struct Waiting(ServerLogin<Suite>);

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting(…)")
    }
}

impl Keeper {
    /// What `secret` determines, for the hub with `hub_key`.
    ///
    /// # Panics
    /// Never: what a setup gives as its public key is one.
    #[must_use]
    pub fn new(secret: &Secret<32>, hub_key: [u8; KEY_BYTES]) -> Self {
        let mut random = Random::new(*secret.expose());
        let setup = ServerSetup::<Suite>::new(&mut Draw(&mut random));
        let mut decoy = [0; bytes::RECORD];
        decoy[..KEY_BYTES].copy_from_slice(&setup.keypair().public().serialize());
        let decoy = Record::read(&decoy).expect("a public key and any bytes are a record");
        Self { setup, decoy, hub_key }
    }

    /// The hub's half of a registration under `name`; `None` when the request is none.
    #[must_use]
    pub fn register(&self, name: &str, request: &[u8; bytes::REQUEST]) -> Option<[u8; bytes::RESPONSE]> {
        let request = RegistrationRequest::deserialize(request).ok()?;
        let started = ServerRegistration::start(&self.setup, request, name.as_bytes()).ok()?;
        fixed(&started.message.serialize())
    }

    /// The hub's half of a login under `name`, which is the same to look at when there is no record; `None` when
    /// the message is none.
    #[must_use]
    pub fn login(
        &self,
        random: &mut Random,
        (name, record): (&str, Option<&Record>),
        ke1: &[u8; bytes::KE1],
        context: &[u8],
    ) -> Option<([u8; bytes::KE2], Waiting)> {
        let request = CredentialRequest::deserialize(ke1).ok()?;
        let copy = record.unwrap_or(&self.decoy).0.clone();
        let record = record.is_some().then_some(copy);
        let parameters = self.parameters(context);
        let mut draw = Draw(random);
        let started =
            ServerLogin::start(&mut draw, &self.setup, record, request, name.as_bytes(), parameters).ok()?;
        Some((fixed(&started.message.serialize())?, Waiting(started.state)))
    }

    /// Whether the last message of a login shows that the password is known, in the session of `context`.
    #[must_use]
    pub fn proves(&self, waiting: Waiting, ke3: &[u8; bytes::KE3], context: &[u8]) -> bool {
        let Ok(proof) = CredentialFinalization::deserialize(ke3) else { return false };
        waiting.0.finish(proof, self.parameters(context)).is_ok()
    }

    fn parameters<'a>(&'a self, context: &'a [u8]) -> ServerLoginParameters<'a, 'a> {
        ServerLoginParameters { context: Some(context), identifiers: identifiers(&self.hub_key) }
    }
}

// the client

/// A password that is being set.
pub struct Registration(ClientRegistration<Suite>);

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration(…)")
    }
}

impl Registration {
    /// Begins; the request for the hub.
    #[must_use]
    pub fn start(random: &mut Random, password: &Password) -> Option<(Self, [u8; bytes::REQUEST])> {
        let started = ClientRegistration::start(&mut Draw(random), password.bytes()).ok()?;
        Some((Self(started.state), fixed(&started.message.serialize())?))
    }

    /// Ends, at the cost of `stretch`; the record for the hub. `None` when the hub's answer is none.
    #[must_use]
    pub fn finish(
        self,
        random: &mut Random,
        password: &Password,
        response: &[u8; bytes::RESPONSE],
        (stretch, hub_key): (Stretch, &[u8; KEY_BYTES]),
    ) -> Option<[u8; bytes::RECORD]> {
        let response = RegistrationResponse::deserialize(response).ok()?;
        let ksf = Argon2id(stretch);
        let parameters = ClientRegistrationFinishParameters::new(identifiers(hub_key), Some(&ksf));
        let finished = self.0.finish(&mut Draw(random), password.bytes(), response, parameters).ok()?;
        fixed(&finished.message.serialize())
    }
}

/// A password that is being proved.
pub struct Login(ClientLogin<Suite>);

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

impl Login {
    /// Begins; the first message.
    #[must_use]
    pub fn start(random: &mut Random, password: &Password) -> Option<(Self, [u8; bytes::KE1])> {
        let started = ClientLogin::start(&mut Draw(random), password.bytes()).ok()?;
        Some((Self(started.state), fixed(&started.message.serialize())?))
    }

    /// Ends, at the cost of `stretch`; the last message. `None` when the password is wrong, there is no such name,
    /// or the hub asks for more than a client gives: nothing tells which.
    #[must_use]
    pub fn finish(
        self,
        random: &mut Random,
        password: &Password,
        (ke2, stretch): (&[u8; bytes::KE2], Stretch),
        (context, hub_key): (&Vec<u8>, &[u8; KEY_BYTES]),
    ) -> Option<[u8; bytes::KE3]> {
        if !stretch.is_sensible() {
            return None;
        }
        let response = CredentialResponse::deserialize(ke2).ok()?;
        let ksf = Argon2id(stretch);
        let parameters = ClientLoginFinishParameters::new(Some(context), identifiers(hub_key), Some(&ksf));
        let finished = self.0.finish(&mut Draw(random), password.bytes(), response, parameters).ok()?;
        fixed(&finished.message.serialize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: [u8; 32] = [1; 32];
    const STRETCH: Stretch = Stretch { memory_kib: 19_456, passes: 2, lanes: 1 };

    fn keeper() -> Keeper {
        Keeper::new(&Secret::new([2; 32]), HUB)
    }

    fn register(random: &mut Random, password: &str) -> Record {
        let password = Password::new(password);
        let (registration, request) = Registration::start(random, &password).unwrap();
        let response = keeper().register("ann", &request).unwrap();
        Record::read(&registration.finish(random, &password, &response, (STRETCH, &HUB)).unwrap()).unwrap()
    }

    /// Whether a login with `password` holds, where the client and the hub name these contexts.
    fn login(random: &mut Random, record: Option<&Record>, password: &str, contexts: [&[u8]; 2]) -> bool {
        let password = Password::new(password);
        let (login, ke1) = Login::start(random, &password).unwrap();
        let (ke2, waiting) = keeper().login(random, ("ann", record), &ke1, contexts[1]).unwrap();
        let ke3 = login.finish(random, &password, (&ke2, STRETCH), (&contexts[0].to_vec(), &HUB));
        ke3.is_some_and(|ke3| keeper().proves(waiting, &ke3, contexts[1]))
    }

    #[test]
    fn a_password_holds_where_it_was_set() {
        let mut random = Random::new([3; 32]);
        let record = register(&mut random, "zoë's secret");
        for (known, password, contexts, expected) in [
            (true, "zoe\u{308}'s secret", [b"here", b"here"], true),
            (true, "zoe's secret", [b"here", b"here"], false),
            (true, "zoë's secret", [b"here", b"else"], false),
            (false, "zoë's secret", [b"here", b"here"], false),
        ] {
            let known = known.then_some(&record);
            let contexts = contexts.map(|context| &context[..]);
            assert_eq!(login(&mut random, known, password, contexts), expected, "{password} {contexts:?}");
        }
    }

    /// What is made of the secret is in every record: another version of the library must make the same of it.
    #[test]
    fn the_same_secret_makes_the_same_keeper() {
        let made = keeper().setup.serialize();
        assert_eq!(&made[..], &keeper().setup.serialize()[..]);
        assert_eq!(made.len(), 128);
        assert_eq!(spec::crypto::sha256(&[&made])[..8], [12, 243, 42, 171, 190, 248, 58, 59]);
    }

    #[test]
    fn garbage_is_no_message() {
        let mut random = Random::new([4; 32]);
        assert!(keeper().register("ann", &[0xff; 32]).is_none());
        assert!(keeper().login(&mut random, ("ann", None), &[0xff; 96], b"").is_none());
        assert!(Record::read(&[0xff; 192]).is_none());
    }
}
