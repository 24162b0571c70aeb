//! Where lines go: a room, or one person.

use node_proto::client::Target;
use node_proto::hub::LOBBY_NAME;
use node_proto::log::LOBBY;
use spec::name::fold;

/// The room a person is in, and whom they talk to alone, if they do.
#[derive(Debug)]
pub(super) struct Place {
    room: Target,
    alone_with: Option<String>,
}

impl Place {
    /// In the lobby, or in the room of a name.
    pub(super) fn new(room: Option<&str>) -> Self {
        let room = room.map_or(Target::Room(LOBBY), named);
        Self { room, alone_with: None }
    }

    /// Where the next line goes.
    pub(super) fn target(&self) -> Target {
        self.alone_with.clone().map_or_else(|| self.room.clone(), Target::Direct)
    }

    /// The room that commands about rooms mean.
    pub(super) const fn room(&self) -> &Target {
        &self.room
    }

    /// Goes to a room.
    pub(super) fn go(&mut self, name: &str) {
        (self.room, self.alone_with) = (named(name), None);
    }

    /// Goes to the lobby, if the room of this name is where we are.
    pub(super) fn leave(&mut self, name: &str) {
        if matches!(&self.room, Target::Named(here) if fold(here) == fold(name)) {
            self.room = Target::Room(LOBBY);
        }
    }

    /// Talks to one person alone, or to the room again.
    pub(super) fn talk_to(&mut self, name: Option<String>) {
        self.alone_with = name;
    }

    /// What stands in front of a half-typed line.
    pub(super) fn prompt(&self) -> String {
        let place = match (&self.alone_with, &self.room) {
            (Some(name), _) => format!("to {name}, privately"),
            (None, Target::Named(name)) => format!("#{name}"),
            (None, Target::Direct(_) | Target::Room(_)) => return "> ".to_owned(),
        };
        format!("{}> ", crate::output::visible(&place))
    }
}

fn named(name: &str) -> Target {
    if fold(name) == LOBBY_NAME { Target::Room(LOBBY) } else { Target::Named(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_lines_go() {
        let mut place = Place::new(None);
        assert_eq!((place.target(), place.prompt().as_str()), (Target::Room(LOBBY), "> "));
        place.go("dev");
        assert_eq!((place.target(), place.prompt().as_str()), (Target::Named("dev".into()), "#dev> "));
        place.talk_to(Some("ann".into()));
        let alone = (Target::Direct("ann".into()), "to ann, privately> ");
        assert_eq!((place.target(), place.prompt().as_str()), alone);
        place.talk_to(None);
        place.leave("other");
        assert_eq!(place.target(), Target::Named("dev".into()));
        place.leave("DEV");
        assert_eq!(place.target(), Target::Room(LOBBY));
        place.go("Lobby");
        assert_eq!(place.target(), Target::Room(LOBBY));
    }
}
