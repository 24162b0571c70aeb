//! Who stands between a person and a hub gets no further by passing on what they say.

use crate::prober::{PASSWORD, Prey, Prober, STRETCH, hub_key};
use core::time::Duration;
use node_proto::opaque::{Login, Password};
use node_proto::random::Random;
use spec::binding::opaque_context;
use spec::wire::login::LoginMessage;
use spec::wire::message::Message;

/// A false hub passes a person's messages on, in a session of its own with the real hub: what the person's program
/// proves, it proves for the session that it is in, and there alone.
#[test]
fn a_login_that_is_passed_on_to_another_session_is_refused() {
    for (is_passed_on, expected) in [(false, true), (true, false)] {
        let mut prey = Prey::new(&["ann".to_owned()], &[], STRETCH);
        let mut relay = Prober::new(&mut prey, 1, 1, "ann");
        let persons = Prober::new(&mut prey, 2, 2, "ann");
        let mut random = Random::new([7; 32]);
        let password = Password::new(PASSWORD);
        let (login, ke1) = Login::start(&mut random, &password).unwrap();
        let no_clock = || Duration::ZERO;
        let (answer, ..) = relay.say(&mut prey, LoginMessage::Login { device: "", ke1: &ke1 }, no_clock);
        let Ok(Some((Message::Login(LoginMessage::LoginAnswer { stretch, ke2 }), _))) =
            Message::split(&answer)
        else {
            panic!("an answer")
        };
        //= spec/PROTOCOL.md#passwords
        //= type=test
        //# The context of a login MUST be "sgm1 opaque" ‖ exporter("opaque", "") ‖ hub key.
        let exporter = if is_passed_on { &persons.exporter } else { &relay.exporter };
        let context = opaque_context(exporter, &hub_key());
        // The client's own check of KE2 fails in another session; a client without it would prove no more.
        let ke3 = login.finish(&mut random, &password, (ke2, stretch), (&context, &hub_key()));
        assert_eq!(ke3.is_some(), expected);
        let ke3 = ke3.unwrap_or([0; 64]);
        let (answer, ..) = relay.say(&mut prey, LoginMessage::Proof { ke3: &ke3 }, no_clock);
        let Ok(Some((answer, _))) = Message::split(&answer) else { panic!("an answer") };
        match answer {
            Message::Welcome { name, .. } => assert!(expected && name == "ann"),
            other => {
                assert!(!expected);
                assert_eq!(other, Message::Login(LoginMessage::LoginRefused { wait_secs: 0 }));
            }
        }
        // Nor does a proof of one session hold in a later one.
        if !is_passed_on {
            let mut later = Prober::new(&mut prey, 3, 3, "ann");
            later.say(&mut prey, LoginMessage::Login { device: "", ke1: &ke1 }, no_clock);
            let (answer, ..) = later.say(&mut prey, LoginMessage::Proof { ke3: &ke3 }, no_clock);
            let refused = Message::Login(LoginMessage::LoginRefused { wait_secs: 0 });
            assert_eq!(Message::split(&answer).unwrap().unwrap().0, refused);
        }
    }
}
