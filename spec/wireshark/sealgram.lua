-- Sealgram in Wireshark and tshark: names every byte of a datagram, follows sessions, and opens what a key log allows.
--
-- Written from PROTOCOL.md. One file: put it into the folder of personal plugins (Help, About, Folders) or say
-- `tshark -X lua_script:sealgram.lua`. It runs under Lua 5.1 to 5.4. It opens datagrams with what the host has, and
-- where that has no AES-GCM for scripts, with its own.
--
-- Without keys nobody can tell whose the connection ids of a client are that went to another address. A client is in one
-- place at a time, so that a session may have moved if nothing more is heard of it where it was. That is known only at
-- the end: where it matters, the capture is gone through again when Wireshark, or `tshark -2`, shows packets a second time.

local sealgram = Proto("sealgram", "Sealgram")

-- made from fields.toml: begin
local F = {
  ["first"] = ProtoField.uint8("sealgram.first", "First", base.HEX, nil, nil, "holds the form and what follows it, bit by bit"),
  ["form"] = ProtoField.uint8("sealgram.form", "Form", base.DEC, { [1] = "SHORT", [3] = "LONG" }, 0xc0, "tells SHORT from LONG"),
  ["type"] = ProtoField.uint8("sealgram.type", "Type", base.DEC, { [0] = "INIT", [1] = "RESP", [2] = "FIN", [3] = "RETRY", [4] = "KEYREQ", [5] = "KEY", [6] = "VERSION" }, 0x38, "says which message of the handshake it is"),
  ["fragment_index"] = ProtoField.uint8("sealgram.fragment_index", "Fragment index", base.DEC, nil, 0x04, "says which half of message 1 it is"),
  ["reserved"] = ProtoField.uint8("sealgram.reserved", "Reserved", base.DEC, nil, 0x03, "room for the future, random"),
  ["version"] = ProtoField.string("sealgram.version", "Version", base.UNICODE, "`SGM1`, hex `53474d31`: the version of this document"),
  ["attempt_id"] = ProtoField.bytes("sealgram.attempt_id", "Attempt id", base.NONE, "routes handshake datagrams to their attempt"),
  ["connection_id"] = ProtoField.bytes("sealgram.connection_id", "Connection id", base.NONE, "finds the session"),
  ["mac1"] = ProtoField.bytes("sealgram.mac1", "Mac1", base.NONE, "proves the sender holds the gate"),
  ["mac2"] = ProtoField.bytes("sealgram.mac2", "Mac2", base.NONE, "proves the sender's address when the hub is busy"),
  ["versions"] = ProtoField.bytes("sealgram.versions", "Versions", base.NONE, "lists the versions a hub speaks"),
  ["ephemeral_key"] = ProtoField.bytes("sealgram.ephemeral_key", "Ephemeral key", base.NONE, "the X25519 key of one handshake"),
  ["kem_ciphertext"] = ProtoField.bytes("sealgram.kem_ciphertext", "Kem ciphertext", base.NONE, "carries the ML-KEM secret to the client"),
  ["hub_key"] = ProtoField.bytes("sealgram.hub_key", "Hub key", base.NONE, "the static key of an open hub"),
  ["sealed_payload"] = ProtoField.bytes("sealgram.sealed_payload", "Sealed payload", base.NONE, "the payload of message 1 or 2"),
  ["sealed_static_key"] = ProtoField.bytes("sealgram.sealed_static_key", "Sealed static key", base.NONE, "the client's static key, for the hub alone"),
  ["static_key_tag"] = ProtoField.bytes("sealgram.static_key_tag", "Static key tag", base.NONE, "authenticity of the client's static key"),
  ["sealed_cookie"] = ProtoField.bytes("sealgram.sealed_cookie", "Sealed cookie", base.NONE, "the cookie, for whoever sent the INIT"),
  ["salt"] = ProtoField.bytes("sealgram.salt", "Salt", base.NONE, "makes the key of a cookie"),
  ["random"] = ProtoField.bytes("sealgram.random", "Random", base.NONE, "fills the datagram to its length"),
  ["number_and_sealed_frames"] = ProtoField.bytes("sealgram.number_and_sealed_frames", "Number and sealed frames", base.NONE, "packet number and frames: where one ends is masked"),
  ["epoch_bits"] = ProtoField.uint8("sealgram.epoch_bits", "Epoch bits", base.DEC, nil, 0x30, "selects the key"),
  ["number_length"] = ProtoField.uint8("sealgram.number_length", "Number length", base.DEC, nil, 0x0c, "one less than the bytes of the number"),
  ["number"] = ProtoField.uint64("sealgram.number", "Number", base.DEC, nil, nil, "low bytes of the packet number: nonce, order, acknowledgement"),
  ["sealed_frames"] = ProtoField.bytes("sealgram.sealed_frames", "Sealed frames", base.NONE, "the content"),
  ["tag"] = ProtoField.bytes("sealgram.tag", "Tag", base.NONE, "authenticity"),
  ["message"] = ProtoField.string("sealgram.message", "Message", base.UNICODE, "the name of the datagram's type"),
  ["length"] = ProtoField.uint32("sealgram.length", "Length", base.DEC, nil, nil, "bytes of the datagram"),
  ["session"] = ProtoField.uint32("sealgram.session", "Session", base.DEC, nil, nil, "the place of its session in the capture, from 0"),
  ["session.attempt_id"] = ProtoField.string("sealgram.session.attempt_id", "Attempt id", base.UNICODE, "the handshake that its session began with"),
  ["direction"] = ProtoField.string("sealgram.direction", "Direction", base.UNICODE, "who sent it: client or hub"),
  ["opened"] = ProtoField.uint8("sealgram.opened", "Opened", base.DEC, { [0] = "no", [1] = "yes", [2] = "without its tag" }, nil, "whether its tag was verified with the key log"),
  ["packet_number"] = ProtoField.uint64("sealgram.packet_number", "Packet number", base.DEC, nil, nil, "the whole packet number"),
  ["epoch"] = ProtoField.uint64("sealgram.epoch", "Epoch", base.DEC, nil, nil, "how many key updates led to its key"),
  ["generation"] = ProtoField.uint64("sealgram.generation", "Generation", base.DEC, nil, nil, "how many ratchets led to its key"),
  ["repeats"] = ProtoField.uint32("sealgram.repeats", "Repeats", base.DEC, nil, nil, "the first packet of the capture that was the same datagram"),
  ["frame.type"] = ProtoField.uint64("sealgram.frame.type", "Frame type", base.DEC, { [0] = "PADDING", [1] = "PING", [2] = "ACK", [3] = "ACK_ECN", [4] = "STREAM", [5] = "ENTRIES", [6] = "FRAGMENT", [7] = "CLOSE", [8] = "DONE", [9] = "MAX_STREAM", [10] = "PATH_CHALLENGE", [11] = "PATH_RESPONSE", [12] = "EPHEMERAL", [13] = "BULK", [14] = "MAX_BULK" }, nil, "says what the frame is"),
  ["padding.length"] = ProtoField.uint32("sealgram.padding.length", "Length", base.DEC, nil, nil, "zero bytes in a row"),
  ["ack.largest"] = ProtoField.uint64("sealgram.ack.largest", "Largest", base.DEC, nil, nil, "the highest packet number received"),
  ["ack.delay"] = ProtoField.uint64("sealgram.ack.delay", "Delay", base.DEC, nil, nil, "microseconds since it was"),
  ["ack.window"] = ProtoField.uint64("sealgram.ack.window", "Window", base.DEC, nil, nil, "how many packet numbers above the largest the receiver takes"),
  ["ack.count"] = ProtoField.uint64("sealgram.ack.count", "Count", base.DEC, nil, nil, "how many ranges follow the first"),
  ["ack.first"] = ProtoField.uint64("sealgram.ack.first", "First", base.DEC, nil, nil, "one less than the numbers in the first range"),
  ["ack.gap"] = ProtoField.uint64("sealgram.ack.gap", "Gap", base.DEC, nil, nil, "two less than what lies between two ranges"),
  ["ack.length"] = ProtoField.uint64("sealgram.ack.length", "Length", base.DEC, nil, nil, "one less than the numbers in a range"),
  ["ack.ect0"] = ProtoField.uint64("sealgram.ack.ect0", "Ect0", base.DEC, nil, nil, "packets that arrived marked ECT(0)"),
  ["ack.ect1"] = ProtoField.uint64("sealgram.ack.ect1", "Ect1", base.DEC, nil, nil, "packets that arrived marked ECT(1)"),
  ["ack.ce"] = ProtoField.uint64("sealgram.ack.ce", "Ce", base.DEC, nil, nil, "packets that arrived marked CE"),
  ["stream.stream"] = ProtoField.uint64("sealgram.stream.stream", "Stream", base.DEC, nil, nil, "0 for control messages, else the room"),
  ["stream.offset"] = ProtoField.uint64("sealgram.stream.offset", "Offset", base.DEC, nil, nil, "place of the first byte in the stream"),
  ["stream.data"] = ProtoField.bytes("sealgram.stream.data", "Data", base.NONE, "bytes of the stream"),
  ["entries.room"] = ProtoField.uint64("sealgram.entries.room", "Room", base.DEC, nil, nil, "the room"),
  ["entries.first"] = ProtoField.uint64("sealgram.entries.first", "First", base.DEC, nil, nil, "sequence number of the first entry"),
  ["entries.count"] = ProtoField.uint64("sealgram.entries.count", "Count", base.DEC, nil, nil, "how many entries"),
  ["entries.entry"] = ProtoField.bytes("sealgram.entries.entry", "Entry", base.NONE, "a whole entry"),
  ["fragment.room"] = ProtoField.uint64("sealgram.fragment.room", "Room", base.DEC, nil, nil, "the room"),
  ["fragment.sequence"] = ProtoField.uint64("sealgram.fragment.sequence", "Sequence", base.DEC, nil, nil, "sequence number of the entry"),
  ["fragment.total"] = ProtoField.uint64("sealgram.fragment.total", "Total", base.DEC, nil, nil, "bytes of the whole entry"),
  ["fragment.offset"] = ProtoField.uint64("sealgram.fragment.offset", "Offset", base.DEC, nil, nil, "place of the first byte in the entry"),
  ["fragment.data"] = ProtoField.bytes("sealgram.fragment.data", "Data", base.NONE, "bytes of the entry"),
  ["close.reason"] = ProtoField.uint64("sealgram.close.reason", "Reason", base.DEC, { [0] = "QUIT", [1] = "REMOVED", [2] = "SHUTDOWN", [3] = "NAME_TAKEN", [4] = "NAME_REFUSED", [5] = "TOKEN_REFUSED", [6] = "VIOLATION", [7] = "REPLACED", [8] = "SLOW", [9] = "KEY_LIMIT", [10] = "FULL", [11] = "FAILED", [32] = "REVOKED", [33] = "NOT_ENROLLED", [34] = "TOO_OFTEN" }, nil, "why the session ends"),
  ["close.text"] = ProtoField.string("sealgram.close.text", "Text", base.UNICODE, "the same, for a person"),
  ["max_stream.stream"] = ProtoField.uint64("sealgram.max_stream.stream", "Stream", base.DEC, nil, nil, "the stream"),
  ["max_stream.limit"] = ProtoField.uint64("sealgram.max_stream.limit", "Limit", base.DEC, nil, nil, "the offset its bytes must stay below"),
  ["path.data"] = ProtoField.bytes("sealgram.path.data", "Data", base.NONE, "what an address is asked with, and answers with"),
  ["ephemeral.room"] = ProtoField.uint64("sealgram.ephemeral.room", "Room", base.DEC, nil, nil, "the room"),
  ["ephemeral.message"] = ProtoField.bytes("sealgram.ephemeral.message", "Message", base.NONE, "type and fields of the message"),
  ["ephemeral.type"] = ProtoField.uint64("sealgram.ephemeral.type", "Ephemeral type", base.DEC, nil, nil, "says what the message is"),
  ["ephemeral.name"] = ProtoField.string("sealgram.ephemeral.name", "Name", base.UNICODE, "who is typing; empty from a client"),
  ["bulk.transfer"] = ProtoField.uint64("sealgram.bulk.transfer", "Transfer", base.DEC, nil, nil, "the transfer"),
  ["bulk.offset"] = ProtoField.uint64("sealgram.bulk.offset", "Offset", base.DEC, nil, nil, "place of the first byte in the blob"),
  ["bulk.data"] = ProtoField.bytes("sealgram.bulk.data", "Data", base.NONE, "bytes of the blob"),
  ["max_bulk.transfer"] = ProtoField.uint64("sealgram.max_bulk.transfer", "Transfer", base.DEC, nil, nil, "the transfer"),
  ["max_bulk.limit"] = ProtoField.uint64("sealgram.max_bulk.limit", "Limit", base.DEC, nil, nil, "the offset its bytes must stay below"),
  ["extension.data"] = ProtoField.bytes("sealgram.extension.data", "Data", base.NONE, "a frame that this version does not know"),
  ["control.type"] = ProtoField.uint64("sealgram.control.type", "Control type", base.DEC, { [1] = "HELLO", [2] = "SUBSCRIBE", [3] = "WHO", [4] = "DIRECT", [5] = "RATCHET_REQ", [6] = "OFFER", [7] = "FETCH", [8] = "RELEASE", [9] = "CREATE", [10] = "JOIN", [11] = "LEAVE", [12] = "LIST", [13] = "SET", [14] = "INVITE", [15] = "GRANT", [16] = "HISTORY", [17] = "SEARCH", [32] = "ENROL", [33] = "DEVICES", [34] = "APPROVE", [35] = "REVOKE", [36] = "PASSWORD", [37] = "RECORD", [38] = "LOGIN", [39] = "PROOF", [65] = "WELCOME", [66] = "ROOM", [67] = "MEMBERS", [68] = "REFUSED", [69] = "STORED", [70] = "RATCHET_RSP", [71] = "WANT", [72] = "BLOB", [73] = "GOT", [74] = "GONE", [75] = "ROOMS", [76] = "PAGE", [77] = "DONE", [78] = "STATE", [96] = "DEVICE_LIST", [97] = "GRANTED", [98] = "PASSWORD_ANSWER", [99] = "LOGIN_ANSWER", [100] = "LOGIN_REFUSED" }, nil, "says what the control message is"),
  ["control.flags"] = ProtoField.uint64("sealgram.control.flags", "Flags", base.DEC, nil, nil, "what the sender or the room is like, bit by bit"),
  ["control.name"] = ProtoField.string("sealgram.control.name", "Name", base.UNICODE, "a name: of an account, a room or a member"),
  ["control.token"] = ProtoField.bytes("sealgram.control.token", "Token", base.NONE, "the token of the invite"),
  ["control.room"] = ProtoField.uint64("sealgram.control.room", "Room", base.DEC, nil, nil, "the room"),
  ["control.after"] = ProtoField.uint64("sealgram.control.after", "After", base.DEC, nil, nil, "the last sequence number that the client has"),
  ["control.account"] = ProtoField.uint64("sealgram.control.account", "Account", base.DEC, nil, nil, "number of the account"),
  ["control.generation"] = ProtoField.bytes("sealgram.control.generation", "Generation", base.NONE, "names the log"),
  ["control.kind"] = ProtoField.uint64("sealgram.control.kind", "Kind", base.DEC, nil, nil, "what the room is"),
  ["control.head"] = ProtoField.uint64("sealgram.control.head", "Head", base.DEC, nil, nil, "the last sequence number of the room"),
  ["control.count"] = ProtoField.uint64("sealgram.control.count", "Count", base.DEC, nil, nil, "how many members, rooms or entries"),
  ["control.request"] = ProtoField.uint64("sealgram.control.request", "Request", base.DEC, nil, nil, "type of the message that was refused"),
  ["control.reason"] = ProtoField.uint64("sealgram.control.reason", "Reason", base.DEC, nil, nil, "why it was refused"),
  ["control.id"] = ProtoField.bytes("sealgram.control.id", "Id", base.NONE, "message id of a submission"),
  ["control.sequence"] = ProtoField.uint64("sealgram.control.sequence", "Sequence", base.DEC, nil, nil, "where the submission is stored"),
  ["control.e1"] = ProtoField.bytes("sealgram.control.e1", "E1", base.NONE, "the client's X25519 key of a ratchet"),
  ["control.e2"] = ProtoField.bytes("sealgram.control.e2", "E2", base.NONE, "the hub's X25519 key of a ratchet"),
  ["control.kem"] = ProtoField.bytes("sealgram.control.kem", "Kem", base.NONE, "the ML-KEM half of a ratchet, or nothing"),
  ["control.transfer"] = ProtoField.uint64("sealgram.control.transfer", "Transfer", base.DEC, nil, nil, "the transfer"),
  ["control.hash"] = ProtoField.bytes("sealgram.control.hash", "Hash", base.NONE, "SHA-256 of the blob"),
  ["control.size"] = ProtoField.uint64("sealgram.control.size", "Size", base.DEC, nil, nil, "bytes of the blob"),
  ["control.from"] = ProtoField.uint64("sealgram.control.from", "From", base.DEC, nil, nil, "how many bytes are there already"),
  ["control.tag"] = ProtoField.uint64("sealgram.control.tag", "Tag", base.DEC, nil, nil, "the client's name for a request"),
  ["control.role"] = ProtoField.uint64("sealgram.control.role", "Role", base.DEC, nil, nil, "what an account may do"),
  ["control.setting"] = ProtoField.uint64("sealgram.control.setting", "Setting", base.DEC, nil, nil, "what is changed about a room"),
  ["control.number"] = ProtoField.uint64("sealgram.control.number", "Number", base.DEC, nil, nil, "of a device, or what a setting is changed to"),
  ["control.text"] = ProtoField.string("sealgram.control.text", "Text", base.UNICODE, "what it is changed to, or why"),
  ["control.offset"] = ProtoField.uint64("sealgram.control.offset", "Offset", base.DEC, nil, nil, "how many bytes of an entry stand before these"),
  ["control.since"] = ProtoField.uint64("sealgram.control.since", "Since", base.DEC, nil, nil, "a time in milliseconds since 1970: of a device, or the earliest that is wanted"),
  ["control.limit"] = ProtoField.uint64("sealgram.control.limit", "Limit", base.DEC, nil, nil, "how many entries are wanted at most"),
  ["control.before"] = ProtoField.uint64("sealgram.control.before", "Before", base.DEC, nil, nil, "only entries before this one"),
  ["control.words"] = ProtoField.string("sealgram.control.words", "Words", base.UNICODE, "the words that are looked for"),
  ["control.more"] = ProtoField.uint64("sealgram.control.more", "More", base.DEC, nil, nil, "whether there are more rooms"),
  ["control.members"] = ProtoField.uint64("sealgram.control.members", "Members", base.DEC, nil, nil, "how many members a room has"),
  ["control.topic"] = ProtoField.string("sealgram.control.topic", "Topic", base.UNICODE, "what a room is about"),
  ["control.first"] = ProtoField.uint64("sealgram.control.first", "First", base.DEC, nil, nil, "the first entry that the account may read"),
  ["control.slow"] = ProtoField.uint64("sealgram.control.slow", "Slow", base.DEC, nil, nil, "seconds between two messages of a member"),
  ["control.pinned"] = ProtoField.uint64("sealgram.control.pinned", "Pinned", base.DEC, nil, nil, "the message that stands above all others"),
  ["control.total"] = ProtoField.uint64("sealgram.control.total", "Total", base.DEC, nil, nil, "bytes of the whole entry"),
  ["control.data"] = ProtoField.bytes("sealgram.control.data", "Data", base.NONE, "bytes of the entry"),
  ["control.device"] = ProtoField.string("sealgram.control.device", "Device", base.UNICODE, "what a device is called"),
  ["control.code"] = ProtoField.uint64("sealgram.control.code", "Code", base.DEC, nil, nil, "the code that a device shows"),
  ["control.blinded"] = ProtoField.bytes("sealgram.control.blinded", "Blinded", base.NONE, "a blinded password"),
  ["control.evaluated"] = ProtoField.bytes("sealgram.control.evaluated", "Evaluated", base.NONE, "the blinded password under the hub's key, and the hub's public key"),
  ["control.record"] = ProtoField.bytes("sealgram.control.record", "Record", base.NONE, "what is kept of a password"),
  ["control.memory"] = ProtoField.uint64("sealgram.control.memory", "Memory", base.DEC, nil, nil, "KiB that Argon2id takes"),
  ["control.passes"] = ProtoField.uint64("sealgram.control.passes", "Passes", base.DEC, nil, nil, "passes that Argon2id makes"),
  ["control.lanes"] = ProtoField.uint64("sealgram.control.lanes", "Lanes", base.DEC, nil, nil, "lanes of Argon2id"),
  ["control.ke1"] = ProtoField.bytes("sealgram.control.ke1", "Ke1", base.NONE, "first message of an OPAQUE login"),
  ["control.ke2"] = ProtoField.bytes("sealgram.control.ke2", "Ke2", base.NONE, "second message of an OPAQUE login"),
  ["control.ke3"] = ProtoField.bytes("sealgram.control.ke3", "Ke3", base.NONE, "third message of an OPAQUE login"),
  ["control.wait"] = ProtoField.uint64("sealgram.control.wait", "Wait", base.DEC, nil, nil, "seconds before another attempt is looked at"),
  ["submission.id"] = ProtoField.bytes("sealgram.submission.id", "Id", base.NONE, "the author's name for it"),
  ["submission.kind"] = ProtoField.uint8("sealgram.submission.kind", "Kind", base.DEC, { [1] = "TEXT", [2] = "ACTION", [3] = "JOINED", [4] = "LEFT", [5] = "ALERT", [6] = "REPLY", [7] = "EDIT", [8] = "DELETE", [9] = "REACT", [10] = "DELETED", [16] = "ACCOUNT", [17] = "ROOM", [18] = "MEMBER", [19] = "ROLE", [20] = "SETTING", [32] = "DEVICE", [33] = "PASSWORD" }, nil, "what it is"),
  ["submission.target"] = ProtoField.uint64("sealgram.submission.target", "Target", base.DEC, nil, nil, "the entry it is about"),
  ["submission.text"] = ProtoField.string("sealgram.submission.text", "Text", base.UNICODE, "what the client says"),
  ["entry.sequence"] = ProtoField.uint64("sealgram.entry.sequence", "Sequence", base.DEC, nil, nil, "its place in the room"),
  ["entry.author"] = ProtoField.uint64("sealgram.entry.author", "Author", base.DEC, nil, nil, "account number of the author"),
  ["entry.id"] = ProtoField.bytes("sealgram.entry.id", "Id", base.NONE, "the author's name for it"),
  ["entry.time"] = ProtoField.uint64("sealgram.entry.time", "Time", base.DEC, nil, nil, "when it was committed, in milliseconds since 1970"),
  ["entry.kind"] = ProtoField.uint8("sealgram.entry.kind", "Kind", base.DEC, { [1] = "TEXT", [2] = "ACTION", [3] = "JOINED", [4] = "LEFT", [5] = "ALERT", [6] = "REPLY", [7] = "EDIT", [8] = "DELETE", [9] = "REACT", [10] = "DELETED", [16] = "ACCOUNT", [17] = "ROOM", [18] = "MEMBER", [19] = "ROLE", [20] = "SETTING", [32] = "DEVICE", [33] = "PASSWORD" }, nil, "what it is"),
  ["entry.name"] = ProtoField.string("sealgram.entry.name", "Name", base.UNICODE, "the author's name at that moment"),
  ["entry.target"] = ProtoField.uint64("sealgram.entry.target", "Target", base.DEC, nil, nil, "the entry it is about"),
  ["entry.text"] = ProtoField.string("sealgram.entry.text", "Text", base.UNICODE, "what it says"),
}

-- The bits of the first byte: field and mask.
local LONG_BITS = { { "form", 0xc0 }, { "type", 0x38 }, { "fragment_index", 0x04 }, { "reserved", 0x03 } }
local SHORT_BITS = { { "form", 0xc0 }, { "epoch_bits", 0x30 }, { "number_length", 0x0c }, { "reserved", 0x03 } }

-- The datagrams: field and length, "number" as the number is, negative: up to so many bytes before the end.
local LAYOUTS = {
  [0] = { name = "INIT", from = "client", bytes = 1200, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "ephemeral_key", 32 }, { "sealed_payload", 1123 }, { "mac1", 16 }, { "mac2", 16 } },
  [1] = { name = "INIT", from = "client", bytes = 1200, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "sealed_payload", 1139 }, { "tag", 16 }, { "mac1", 16 }, { "mac2", 16 } },
  [2] = { name = "RESP", from = "hub", bytes = 1200, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "kem_ciphertext", 1088 }, { "ephemeral_key", 32 }, { "sealed_payload", 19 }, { "tag", 16 }, { "mac1", 16 }, { "mac2", 16 } },
  [4] = { name = "FIN", from = "client", bytes = 1200, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "sealed_static_key", 32 }, { "static_key_tag", 16 }, { "sealed_frames", 1091 }, { "tag", 16 }, { "mac1", 16 }, { "mac2", 16 } },
  [6] = { name = "RETRY", from = "hub", bytes = 128, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "salt", 32 }, { "sealed_cookie", 51 }, { "tag", 16 }, { "mac1", 16 } },
  [8] = { name = "KEYREQ", from = "client", bytes = 1200, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "random", 1155 }, { "mac1", 16 }, { "mac2", 16 } },
  [10] = { name = "KEY", from = "hub", bytes = 128, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "hub_key", 32 }, { "random", 67 }, { "mac1", 16 } },
  [12] = { name = "VERSION", from = "hub", bytes = 128, { "first", 1 }, { "version", 4 }, { "attempt_id", 8 }, { "versions", 16 }, { "random", 83 }, { "mac1", 16 } },
  short = { name = "SHORT", from = "both", { "first", 1 }, { "connection_id", 8 }, { "number_and_sealed_frames", -16 }, { "tag", 16 } },
  opened = { { "first", 1 }, { "connection_id", 8 }, { "number", "number" }, { "sealed_frames", -16 }, { "tag", 16 } },
}

-- Frames and control messages: group, sender, fields with their codings, and what stands `count` times.
local FRAMES = {
  [0x00] = { name = "PADDING" },
  [0x01] = { name = "PING" },
  [0x02] = { name = "ACK", group = "ack", fields = { { "largest", "varint" }, { "delay", "varint" }, { "window", "varint" }, { "count", "varint" }, { "first", "varint" } }, repeated = { { "gap", "varint" }, { "length", "varint" } } },
  [0x03] = { name = "ACK_ECN", group = "ack", fields = { { "largest", "varint" }, { "delay", "varint" }, { "window", "varint" }, { "count", "varint" }, { "first", "varint" } }, repeated = { { "gap", "varint" }, { "length", "varint" } }, behind = { { "ect0", "varint" }, { "ect1", "varint" }, { "ce", "varint" } } },
  [0x04] = { name = "STREAM", group = "stream", fields = { { "stream", "varint" }, { "offset", "varint" }, { "data", "bytes" } } },
  [0x05] = { name = "ENTRIES", from = "hub", group = "entries", fields = { { "room", "varint" }, { "first", "varint" }, { "count", "varint" } }, repeated = { { "entry", "bytes" } } },
  [0x06] = { name = "FRAGMENT", from = "hub", group = "fragment", fields = { { "room", "varint" }, { "sequence", "varint" }, { "total", "varint" }, { "offset", "varint" }, { "data", "bytes" } } },
  [0x07] = { name = "CLOSE", group = "close", fields = { { "reason", "varint" }, { "text", "string" } } },
  [0x08] = { name = "DONE", from = "hub" },
  [0x09] = { name = "MAX_STREAM", group = "max_stream", fields = { { "stream", "varint" }, { "limit", "varint" } } },
  [0x0a] = { name = "PATH_CHALLENGE", from = "hub", group = "path", fields = { { "data", 8 } } },
  [0x0b] = { name = "PATH_RESPONSE", from = "client", group = "path", fields = { { "data", 8 } } },
  [0x0c] = { name = "EPHEMERAL", group = "ephemeral", fields = { { "room", "varint" }, { "message", "bytes" } } },
  [0x0d] = { name = "BULK", group = "bulk", fields = { { "transfer", "varint" }, { "offset", "varint" }, { "data", "bytes" } } },
  [0x0e] = { name = "MAX_BULK", group = "max_bulk", fields = { { "transfer", "varint" }, { "limit", "varint" } } },
}
local MESSAGES = {
  [0x01] = { name = "HELLO", from = "client", fields = { { "flags", "varint" }, { "name", "string" }, { "token", "bytes" } } },
  [0x02] = { name = "SUBSCRIBE", from = "client", fields = { { "room", "varint" }, { "after", "varint" } } },
  [0x03] = { name = "WHO", from = "client", fields = { { "room", "varint" } } },
  [0x04] = { name = "DIRECT", from = "client", fields = { { "name", "string" } } },
  [0x05] = { name = "RATCHET_REQ", from = "client", fields = { { "e1", 32 }, { "kem", "bytes" } } },
  [0x06] = { name = "OFFER", from = "client", fields = { { "transfer", "varint" }, { "hash", 32 }, { "size", "varint" } } },
  [0x07] = { name = "FETCH", from = "client", fields = { { "transfer", "varint" }, { "hash", 32 }, { "from", "varint" } } },
  [0x08] = { name = "RELEASE", from = "client", fields = { { "transfer", "varint" } } },
  [0x09] = { name = "CREATE", from = "client", fields = { { "tag", "varint" }, { "flags", "varint" }, { "name", "string" } } },
  [0x0a] = { name = "JOIN", from = "client", fields = { { "tag", "varint" }, { "name", "string" } } },
  [0x0b] = { name = "LEAVE", from = "client", fields = { { "tag", "varint" }, { "room", "varint" } } },
  [0x0c] = { name = "LIST", from = "client", fields = { { "tag", "varint" }, { "name", "string" } } },
  [0x0d] = { name = "SET", from = "client", fields = { { "tag", "varint" }, { "room", "varint" }, { "setting", "varint" }, { "number", "varint" }, { "text", "string" } } },
  [0x0e] = { name = "INVITE", from = "client", fields = { { "tag", "varint" }, { "room", "varint" }, { "name", "string" } } },
  [0x0f] = { name = "GRANT", from = "client", fields = { { "tag", "varint" }, { "room", "varint" }, { "role", "varint" }, { "name", "string" } } },
  [0x10] = { name = "HISTORY", from = "client", fields = { { "tag", "varint" }, { "room", "varint" }, { "from", "varint" }, { "offset", "varint" }, { "since", "varint" }, { "limit", "varint" } } },
  [0x11] = { name = "SEARCH", from = "client", fields = { { "tag", "varint" }, { "room", "varint" }, { "before", "varint" }, { "limit", "varint" }, { "words", "string" } } },
  [0x20] = { name = "ENROL", from = "client", fields = { { "device", "string" } } },
  [0x21] = { name = "DEVICES", from = "client" },
  [0x22] = { name = "APPROVE", from = "client", fields = { { "code", "varint" } } },
  [0x23] = { name = "REVOKE", from = "client", fields = { { "number", "varint" } } },
  [0x24] = { name = "PASSWORD", from = "client", fields = { { "blinded", 32 } } },
  [0x25] = { name = "RECORD", from = "client", fields = { { "memory", "varint" }, { "passes", "varint" }, { "lanes", "varint" }, { "record", 192 } } },
  [0x26] = { name = "LOGIN", from = "client", fields = { { "device", "string" }, { "ke1", 96 } } },
  [0x27] = { name = "PROOF", from = "client", fields = { { "ke3", 64 } } },
  [0x41] = { name = "WELCOME", from = "hub", fields = { { "flags", "varint" }, { "account", "varint" }, { "name", "string" }, { "generation", 8 } } },
  [0x42] = { name = "ROOM", from = "hub", fields = { { "room", "varint" }, { "kind", "varint" }, { "name", "string" }, { "head", "varint" } } },
  [0x43] = { name = "MEMBERS", from = "hub", fields = { { "room", "varint" }, { "count", "varint" } }, repeated = { { "name", "string" } } },
  [0x44] = { name = "REFUSED", from = "hub", fields = { { "request", "varint" }, { "reason", "varint" }, { "id", 16 }, { "name", "string" } } },
  [0x45] = { name = "STORED", from = "hub", fields = { { "room", "varint" }, { "sequence", "varint" }, { "id", 16 } } },
  [0x46] = { name = "RATCHET_RSP", from = "hub", fields = { { "e2", 32 }, { "kem", "bytes" } } },
  [0x47] = { name = "WANT", from = "hub", fields = { { "transfer", "varint" }, { "from", "varint" } } },
  [0x48] = { name = "BLOB", from = "hub", fields = { { "transfer", "varint" }, { "size", "varint" } } },
  [0x49] = { name = "GOT", from = "hub", fields = { { "transfer", "varint" } } },
  [0x4a] = { name = "GONE", from = "hub", fields = { { "room", "varint" }, { "text", "string" } } },
  [0x4b] = { name = "ROOMS", from = "hub", fields = { { "tag", "varint" }, { "more", "varint" }, { "count", "varint" } }, repeated = { { "name", "string" }, { "flags", "varint" }, { "members", "varint" }, { "topic", "string" } } },
  [0x4c] = { name = "PAGE", from = "hub", fields = { { "tag", "varint" }, { "room", "varint" }, { "head", "varint" }, { "count", "varint" } }, repeated = { { "sequence", "varint" }, { "total", "varint" }, { "offset", "varint" }, { "data", "bytes" } } },
  [0x4d] = { name = "DONE", from = "hub", fields = { { "tag", "varint" } } },
  [0x4e] = { name = "STATE", from = "hub", fields = { { "room", "varint" }, { "flags", "varint" }, { "role", "varint" }, { "first", "varint" }, { "slow", "varint" }, { "pinned", "varint" }, { "topic", "string" } } },
  [0x60] = { name = "DEVICE_LIST", from = "hub", fields = { { "count", "varint" } }, repeated = { { "number", "varint" }, { "flags", "varint" }, { "since", "varint" }, { "device", "string" } } },
  [0x61] = { name = "GRANTED", from = "hub", fields = { { "request", "varint" } } },
  [0x62] = { name = "PASSWORD_ANSWER", from = "hub", fields = { { "evaluated", 64 } } },
  [0x63] = { name = "LOGIN_ANSWER", from = "hub", fields = { { "memory", "varint" }, { "passes", "varint" }, { "lanes", "varint" }, { "ke2", 320 } } },
  [0x64] = { name = "LOGIN_REFUSED", from = "hub", fields = { { "wait", "varint" } } },
}
-- made from fields.toml: end

local all = {}
for _, field in pairs(F) do all[#all + 1] = field end
sealgram.fields = all

-- Findings: severity and what the rule is about. The ids are those of `dissect`, behind the prefix.
local RULES = {
  ["session.format"] = { PI_ERROR, "a datagram that is none of the protocol's" },
  ["session.order"] = { PI_WARN, "a datagram that may not come yet" },
  ["session.moved"] = { PI_NOTE, "a session that goes on at another address of its client" },
  ["session.version"] = { PI_WARN, "a version that is none" },
  ["handshake.attempt-id"] = { PI_ERROR, "an attempt id that is not the hash of message 1" },
  ["handshake.rebuilt"] = { PI_ERROR, "a handshake datagram that was built twice" },
  ["handshake.ephemeral-reused"] = { PI_ERROR, "an ephemeral key in two messages" },
  ["handshake.ephemeral-zero"] = { PI_ERROR, "an ephemeral key of zero bytes" },
  ["sealed.tag"] = { PI_ERROR, "a tag that does not verify" },
  ["sealed.frames"] = { PI_ERROR, "frames that do not decode" },
  ["sealed.fin-frames"] = { PI_ERROR, "a frame that FIN may not carry" },
  ["sealed.nonce-reuse"] = { PI_ERROR, "a packet number that seals two datagrams" },
  ["sealed.key-order"] = { PI_ERROR, "an older key than one before it" },
  ["sealed.connection-id"] = { PI_ERROR, "a connection id that the keys do not give" },
  ["sealed.no-generation"] = { PI_WARN, "a key log that lacks the root of a generation" },
  ["sealed.root"] = { PI_ERROR, "a root that is not the one of its handshake" },
  ["sealed.not-derived"] = { PI_WARN, "keys that could not be derived from their handshake" },
  ["sealed.no-secrets"] = { PI_WARN, "a session that the key log does not know" },
}
local EXPERTS, experts = {}, {}
for rule, about in pairs(RULES) do
  EXPERTS[rule] = ProtoExpert.new("sealgram." .. rule, about[2], PI_PROTOCOL, about[1])
  experts[#experts + 1] = EXPERTS[rule]
end
sealgram.experts = experts

sealgram.prefs.keylog_file = Pref.string("Key log file", "", "lines of LABEL, attempt id and secret")
sealgram.prefs.udp_port = Pref.uint("UDP port", 0, "a port whose datagrams are tried first; 0 for none")
sealgram.prefs.verify_tags = Pref.bool("Verify tags", true, "faster without, and what nobody sealed is shown too")

-- Bits ----------------------------------------------------------------------------------------------------------------

local bxor, band, rshift, rrotate
if bit32 then
  bxor, band, rshift, rrotate = bit32.bxor, bit32.band, bit32.rshift, bit32.rrotate
else
  -- Operators are no syntax to older Luas, so that they stand in a string.
  local native = (loadstring or load)([[
    return function(a, b, c, d, e) return a ~ b ~ (c or 0) ~ (d or 0) ~ (e or 0) end,
      function(a, b) return a & b end,
      function(a, n) return a >> n end,
      function(a, n) return (a >> n | a << 32 - n) & 0xffffffff end]])
  if native then
    bxor, band, rshift, rrotate = native()
  else
    bxor, band, rshift, rrotate = bit.bxor, bit.band, bit.rshift, bit.ror
  end
end

local byte, char, floor, concat = string.byte, string.char, math.floor, table.concat
local WORD = 4294967296

local function word_at(text, at)
  local a, b, c, d = byte(text, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function word_bytes(word)
  return char(rshift(word, 24), rshift(word, 16) % 256, rshift(word, 8) % 256, word % 256)
end

-- A number in 8 bytes; exact below 2^53.
local function pack64(number)
  return word_bytes(floor(number / WORD)) .. word_bytes(number % WORD)
end

local function xor_bytes(a, b)
  local out = {}
  for i = 1, #b do out[i] = char(bxor(byte(a, i), byte(b, i))) end
  return concat(out)
end

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(byte(c)) end))
end

local function unhex(digits)
  return (digits:gsub("..", function(pair) return char(tonumber(pair, 16)) end))
end

-- SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869) --------------------------------------------------------------

-- The first 32 bits of the fractional parts of roots of primes.
local SHA_START, SHA_ROUND = {}, {}
do
  local prime = 2
  while #SHA_ROUND < 64 do
    local divisor = 2
    while divisor * divisor <= prime and prime % divisor ~= 0 do divisor = divisor + 1 end
    if divisor * divisor > prime then
      if #SHA_START < 8 then SHA_START[#SHA_START + 1] = floor(prime ^ (1 / 2) % 1 * WORD) end
      SHA_ROUND[#SHA_ROUND + 1] = floor(prime ^ (1 / 3) % 1 * WORD)
    end
    prime = prime + 1
  end
end

local function sha256(text)
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. pack64(#text * 8)
  local state, w = {}, {}
  for i = 1, 8 do state[i] = SHA_START[i] end
  for start = 1, #padded, 64 do
    for i = 1, 16 do w[i] = word_at(padded, start + 4 * i - 4) end
    for i = 17, 64 do
      local x, y = w[i - 15], w[i - 2]
      local s0 = bxor(rrotate(x, 7), rrotate(x, 18), rshift(x, 3)) % WORD
      local s1 = bxor(rrotate(y, 17), rrotate(y, 19), rshift(y, 10)) % WORD
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) % WORD
    end
    local a, b, c, d, e, f, g, h = state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8]
    for i = 1, 64 do
      local s1 = bxor(rrotate(e, 6), rrotate(e, 11), rrotate(e, 25)) % WORD
      -- The bits of f where e has ones, those of g elsewhere; where two of a, b and c agree, theirs.
      local choice = bxor(g, band(e, bxor(f, g))) % WORD
      local one = (h + s1 + choice + SHA_ROUND[i] + w[i]) % WORD
      local s0 = bxor(rrotate(a, 2), rrotate(a, 13), rrotate(a, 22)) % WORD
      local majority = bxor(band(a, b), band(a, c), band(b, c)) % WORD
      h, g, f, e, d, c, b, a = g, f, e, (d + one) % WORD, c, b, a, (one + s0 + majority) % WORD
    end
    for i, value in ipairs({ a, b, c, d, e, f, g, h }) do state[i] = (state[i] + value) % WORD end
  end
  for i = 1, 8 do state[i] = word_bytes(state[i]) end
  return concat(state)
end

local function hmac(key, text)
  if #key > 64 then key = sha256(key) end
  key = key .. ("\0"):rep(64 - #key)
  return sha256(xor_bytes(("\92"):rep(64), key) .. sha256(xor_bytes(("\54"):rep(64), key) .. text))
end

-- At most one block of output: the protocol needs no more.
local function expand(secret, info, length)
  return hmac(secret, info .. "\1"):sub(1, length)
end

local function expand_label(secret, label, context, length)
  label = "sgm1 " .. label
  return expand(secret, char(0, length, #label) .. label .. char(#context) .. context, length)
end

-- AES-256 (FIPS 197) --------------------------------------------------------------------------------------------------

local SBOX, T0, T1, T2, T3 = {}, {}, {}, {}, {}
do
  local function double(a) return a < 128 and a * 2 or bxor(a * 2, 0x11b) end
  local power, log = {}, {}
  local value = 1
  for i = 0, 254 do
    power[i], log[value] = value, i
    value = bxor(value, double(value))
  end
  for x = 0, 255 do
    local inverse = x == 0 and 0 or power[(255 - log[x]) % 255]
    local s, turned = inverse, inverse
    for _ = 1, 4 do
      turned = turned < 128 and turned * 2 or turned * 2 - 255
      s = bxor(s, turned)
    end
    s = bxor(s, 0x63)
    local two = double(s)
    local column = ((two * 256 + s) * 256 + s) * 256 + bxor(two, s)
    SBOX[x], T0[x] = s, column
    T1[x], T2[x], T3[x] = rrotate(column, 8) % WORD, rrotate(column, 16) % WORD, rrotate(column, 24) % WORD
  end
end

local function substitute(word)
  return ((SBOX[rshift(word, 24)] * 256 + SBOX[rshift(word, 16) % 256]) * 256 + SBOX[rshift(word, 8) % 256]) * 256
    + SBOX[word % 256]
end

-- The 60 words of a key's schedule.
local function aes_schedule(key)
  local words, constant = {}, 1
  for i = 1, 8 do words[i] = word_at(key, 4 * i - 3) end
  for i = 9, 60 do
    local word = words[i - 1]
    if i % 8 == 1 then
      word = bxor(substitute(rrotate(word, 24) % WORD), constant * 16777216) % WORD
      constant = constant * 2
    elseif i % 8 == 5 then
      word = substitute(word)
    end
    words[i] = bxor(words[i - 8], word) % WORD
  end
  return words
end

-- One block, as four words.
local function aes_words(k, a, b, c, d)
  a, b, c, d = bxor(a, k[1]) % WORD, bxor(b, k[2]) % WORD, bxor(c, k[3]) % WORD, bxor(d, k[4]) % WORD
  for i = 5, 53, 4 do
    a, b, c, d =
      bxor(T0[rshift(a, 24)], T1[rshift(b, 16) % 256], T2[rshift(c, 8) % 256], T3[d % 256], k[i]) % WORD,
      bxor(T0[rshift(b, 24)], T1[rshift(c, 16) % 256], T2[rshift(d, 8) % 256], T3[a % 256], k[i + 1]) % WORD,
      bxor(T0[rshift(c, 24)], T1[rshift(d, 16) % 256], T2[rshift(a, 8) % 256], T3[b % 256], k[i + 2]) % WORD,
      bxor(T0[rshift(d, 24)], T1[rshift(a, 16) % 256], T2[rshift(b, 8) % 256], T3[c % 256], k[i + 3]) % WORD
  end
  local function last(w, x, y, z, key)
    return bxor(((SBOX[rshift(w, 24)] * 256 + SBOX[rshift(x, 16) % 256]) * 256 + SBOX[rshift(y, 8) % 256]) * 256
      + SBOX[z % 256], key) % WORD
  end
  return last(a, b, c, d, k[57]), last(b, c, d, a, k[58]), last(c, d, a, b, k[59]), last(d, a, b, c, k[60])
end

local function aes_block(schedule, block)
  local a, b, c, d =
    aes_words(schedule, word_at(block, 1), word_at(block, 5), word_at(block, 9), word_at(block, 13))
  return word_bytes(a) .. word_bytes(b) .. word_bytes(c) .. word_bytes(d)
end

-- AES-256-GCM (NIST SP 800-38D), with a 12-byte nonce and a 16-byte tag -----------------------------------------------

-- What the last byte of an element becomes when it is multiplied by x^8, in the first word.
local REDUCED = {}
for i = 0, 255 do
  local low, high = i, 0
  for _ = 1, 8 do
    local carry = low % 2
    low = rshift(low, 1)
    high = bxor(rshift(high, 1), carry * 0xe1000000) % WORD
  end
  REDUCED[i] = high
end

-- Everything that depends on the key alone: its schedule, and the hash key times every byte.
local function gcm_key(key)
  local schedule = aes_schedule(key)
  local m = { {}, {}, {}, {} }
  for word = 1, 4 do m[word][0] = 0 end
  local h = { aes_words(schedule, 0, 0, 0, 0) }
  local bit = 128
  while bit >= 1 do
    for word = 1, 4 do m[word][bit] = h[word] end
    local carry = h[4] % 2
    for word = 4, 2, -1 do h[word] = rshift(h[word], 1) + h[word - 1] % 2 * 2147483648 end
    h[1] = bxor(rshift(h[1], 1), carry * 0xe1000000) % WORD
    bit = rshift(bit, 1)
  end
  bit = 2
  while bit <= 128 do
    for low = 1, bit - 1 do
      for word = 1, 4 do m[word][bit + low] = bxor(m[word][bit], m[word][low]) % WORD end
    end
    bit = bit * 2
  end
  return { key = key, schedule = schedule, m = m }
end

local function ghash(key, text)
  local m1, m2, m3, m4 = key.m[1], key.m[2], key.m[3], key.m[4]
  local a, b, c, d = 0, 0, 0, 0
  for at = 1, #text, 16 do
    a, b = bxor(a, word_at(text, at)) % WORD, bxor(b, word_at(text, at + 4)) % WORD
    c, d = bxor(c, word_at(text, at + 8)) % WORD, bxor(d, word_at(text, at + 12)) % WORD
    local bytes = { rshift(a, 24), rshift(a, 16) % 256, rshift(a, 8) % 256, a % 256,
      rshift(b, 24), rshift(b, 16) % 256, rshift(b, 8) % 256, b % 256,
      rshift(c, 24), rshift(c, 16) % 256, rshift(c, 8) % 256, c % 256,
      rshift(d, 24), rshift(d, 16) % 256, rshift(d, 8) % 256, d % 256 }
    local last = bytes[16]
    a, b, c, d = m1[last], m2[last], m3[last], m4[last]
    for i = 15, 1, -1 do
      local x, out = bytes[i], REDUCED[d % 256]
      d = bxor(rshift(d, 8) + c % 256 * 16777216, m4[x]) % WORD
      c = bxor(rshift(c, 8) + b % 256 * 16777216, m3[x]) % WORD
      b = bxor(rshift(b, 8) + a % 256 * 16777216, m2[x]) % WORD
      a = bxor(rshift(a, 8), out, m1[x]) % WORD
    end
  end
  return word_bytes(a) .. word_bytes(b) .. word_bytes(c) .. word_bytes(d)
end

local function whole_blocks(text)
  return text .. ("\0"):rep(-#text % 16)
end

-- The tag before the nonce goes into it.
local function gcm_hash(key, aad, sealed)
  return ghash(key, whole_blocks(aad) .. whole_blocks(sealed) .. pack64(#aad * 8) .. pack64(#sealed * 8))
end

local function gcm_tag(key, nonce, hash)
  return xor_bytes(aes_block(key.schedule, nonce .. "\0\0\0\1"), hash)
end

local function gcm_stream(key, nonce, text)
  local n1, n2, n3 = word_at(nonce, 1), word_at(nonce, 5), word_at(nonce, 9)
  local padded, out = whole_blocks(text), {}
  for at = 1, #padded, 16 do
    local a, b, c, d = aes_words(key.schedule, n1, n2, n3, (at + 31) / 16)
    out[#out + 1] = word_bytes(bxor(a, word_at(padded, at)) % WORD)
    out[#out + 1] = word_bytes(bxor(b, word_at(padded, at + 4)) % WORD)
    out[#out + 1] = word_bytes(bxor(c, word_at(padded, at + 8)) % WORD)
    out[#out + 1] = word_bytes(bxor(d, word_at(padded, at + 12)) % WORD)
  end
  return concat(out):sub(1, #text)
end

local function gcm_open(key, nonce, aad, sealed, tag)
  if gcm_tag(key, nonce, gcm_hash(key, aad, sealed)) ~= tag then return nil end
  return gcm_stream(key, nonce, sealed)
end

-- The host's own, where it has one (Wireshark 4.6) and it opens what this file seals.
local function host_open(key, nonce, aad, sealed, tag)
  local cipher = GcryptCipher.open(GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0)
  cipher:setkey(ByteArray.new(key.key, true))
  cipher:setiv(ByteArray.new(nonce, true))
  cipher:authenticate(ByteArray.new(aad, true))
  local plain = cipher:decrypt(NULL, ByteArray.new(sealed, true))
  if cipher:checktag(ByteArray.new(tag, true)) ~= 0 then return nil end
  return plain:raw()
end

local host_has_gcm = GcryptCipher ~= nil and pcall(function()
  local key, nonce = gcm_key(("k"):rep(32)), ("n"):rep(12)
  local sealed = gcm_stream(key, nonce, "text")
  assert(host_open(key, nonce, "aad", sealed, gcm_tag(key, nonce, gcm_hash(key, "aad", sealed))) == "text")
end)

-- The first of these nonces under which the tag verifies: the plaintext and the place of the nonce.
local function open_under(key, nonces, aad, sealed, tag)
  if not sealgram.prefs.verify_tags then return gcm_stream(key, nonces[1], sealed), 1 end
  local hash = not host_has_gcm and gcm_hash(key, aad, sealed)
  for at, nonce in ipairs(nonces) do
    if host_has_gcm then
      local plain = host_open(key, nonce, aad, sealed, tag)
      if plain then return plain, at end
    elseif gcm_tag(key, nonce, hash) == tag then
      return gcm_stream(key, nonce, sealed), at
    end
  end
end

-- Key log (PROTOCOL.md, Key log) --------------------------------------------------------------------------------------

local LABELS = { CHAIN = true, HASH = true, ES = true, EE = true, SS = true, SE = true, ROOT = true, RATCHET = true }

-- What was read: the secrets of each attempt, and how far.
local key_log

local function new_key_log(path)
  return { path = path, read = 0, rest = "", lines = 0, version = 0, attempts = {} }
end

local function take_line(line)
  key_log.lines = key_log.lines + 1
  if line:sub(1, 5) ~= "SGM1_" then return end
  local label, attempt, secret = line:match("^SGM1_(%u+)%s+(%x+)%s+(%x+)%s*$")
  if not (label and LABELS[label] and #attempt == 16 and #secret == 64) then
    local sentence = "Sealgram: line %d of the key log is not LABEL attempt-id secret; it is passed over."
    report_failure(sentence:format(key_log.lines))
    return
  end
  attempt, secret = unhex(attempt), unhex(secret)
  local secrets = key_log.attempts[attempt] or { ratchets = {} }
  key_log.attempts[attempt] = secrets
  if label ~= "RATCHET" then
    secrets[label] = secret
    return
  end
  for _, known in ipairs(secrets.ratchets) do
    if known == secret then return end
  end
  table.insert(secrets.ratchets, secret)
end

-- Reads what the file gained since it was read last.
local function read_key_log()
  local path = sealgram.prefs.keylog_file
  if path ~= key_log.path then key_log = new_key_log(path) end
  if path == "" then return end
  local file, cause = io.open(path, "rb")
  if not file then
    if key_log.lines == 0 and not key_log.missing then
      report_failure("Sealgram: the key log cannot be read: " .. tostring(cause))
    end
    key_log.missing = true
    return
  end
  local size = file:seek("end")
  if size < key_log.read then key_log = new_key_log(path) end
  if size > key_log.read then
    file:seek("set", key_log.read)
    local text = key_log.rest .. (file:read("*a") or "")
    key_log.read, key_log.version = size, key_log.version + 1
    local at = 1
    while true do
      local stop = text:find("\n", at, true)
      if not stop then break end
      take_line((text:sub(at, stop - 1):gsub("\r$", "")))
      at = stop + 1
    end
    key_log.rest = text:sub(at)
    -- The last line may lack its end because nobody wrote it, or because it is being written.
    if key_log.rest:match("^SGM1_%u+ %x+ " .. ("%x"):rep(64) .. "$") then
      take_line(key_log.rest)
      key_log.rest = ""
    end
  end
  file:close()
end

-- Key schedule (PROTOCOL.md, Key schedule) ----------------------------------------------------------------------------

-- Epochs above the highest that opened a packet which are tried, wraps of the number's low bytes below the likeliest,
-- and connection ids beyond the highest that was seen.
local EPOCHS_AHEAD, WRAPS_TRIED, IDS_AHEAD = 2, 8, 64
local SIDES = { client = "c", hub = "h" }

local function new_epoch(secret)
  return { secret = secret, iv = expand_label(secret, "iv", "", 12) }
end

local function epoch_key(epoch)
  epoch.key = epoch.key or gcm_key(expand_label(epoch.secret, "key", "", 32))
  return epoch.key
end

local function derive_epochs(keys)
  while #keys.epochs <= keys.highest + EPOCHS_AHEAD do
    table.insert(keys.epochs, new_epoch(expand_label(keys.epochs[#keys.epochs].secret, "ku", "", 32)))
  end
end

-- The keys of what one side sends in one generation. Epoch 0 stands at 1.
local function new_generation(root, side)
  local d = SIDES[side]
  local keys = {
    header = aes_schedule(expand_label(root, d .. " hp", "", 32)),
    ids = aes_schedule(expand_label(root, d .. " cid", "", 32)),
    epochs = { new_epoch(expand_label(root, d .. " ap", "", 32)) },
    highest = 0,
    derived = 0,
  }
  derive_epochs(keys)
  return keys
end

local function connection_id(keys, side, generation, index)
  local block = char(side == "hub" and 1 or 0) .. pack64(generation):sub(2) .. pack64(index)
  return aes_block(keys.ids, block):sub(1, 8)
end

-- The full number behind the low bytes of one (RFC 9000 appendix A.3).
local function complete(largest, truncated, length)
  local expected, window = largest and largest + 1 or 0, 256 ^ length
  local candidate = expected - expected % window + truncated
  if candidate + window / 2 <= expected and candidate < 2 ^ 62 - window then return candidate + window end
  if candidate > expected + window / 2 and candidate >= window then return candidate - window end
  return candidate
end

-- Epochs that a packet with these two bits may have, the likeliest first. Only a tag that verifies decides, so that
-- every one may be tried; without tags there is but the one around the highest so far.
local function epochs_to_try(keys, bits)
  local epochs = {}
  local lowest, highest = 0, #keys.epochs - 1
  if not sealgram.prefs.verify_tags then lowest, highest = keys.highest - 1, keys.highest + 2 end
  for epoch = highest, math.max(lowest, 0), -1 do
    if epoch % 4 == bits then epochs[#epochs + 1] = epoch end
  end
  return epochs
end

-- Opens a SHORT datagram; nothing, when its tag verifies under no key.
local function open_short(keys, datagram, largest)
  local mask = aes_block(keys.header, datagram:sub(14, 29))
  local first = bxor(byte(datagram, 1), byte(mask, 1) % 64)
  local bits, length = rshift(first, 4) % 4, rshift(first, 2) % 4 + 1
  local number_bytes = xor_bytes(mask:sub(2), datagram:sub(10, 9 + length))
  local truncated = 0
  for i = 1, length do truncated = truncated * 256 + byte(number_bytes, i) end
  local header = char(first) .. datagram:sub(2, 9) .. number_bytes
  local sealed, tag = datagram:sub(10 + length, -17), datagram:sub(-16)
  local likeliest = complete(largest, truncated, length)
  for _, epoch in ipairs(epochs_to_try(keys, bits)) do
    local numbers, nonces = {}, {}
    for wraps = 0, WRAPS_TRIED do
      local number = likeliest - wraps * 256 ^ length
      if number >= 0 then
        numbers[#numbers + 1] = number
        nonces[#nonces + 1] = xor_bytes(keys.epochs[epoch + 1].iv, ("\0"):rep(4) .. pack64(number))
      end
    end
    local plain, at = open_under(epoch_key(keys.epochs[epoch + 1]), nonces, header, sealed, tag)
    if plain then
      keys.highest = math.max(keys.highest, epoch)
      derive_epochs(keys)
      return { number = numbers[at], length = length, epoch = epoch, header = header, plain = plain }
    end
  end
end

-- Handshake (Noise specification, revision 34, section 5.2; PROTOCOL.md, Handshake) -----------------------------------

local Noise = {}
Noise.__index = Noise

local function resume(secrets)
  return setmetatable({ chain = secrets.CHAIN, hash = secrets.HASH }, Noise)
end

function Noise:derive(input)
  local temp = hmac(self.chain, input)
  local one = hmac(temp, "\1")
  local two = hmac(temp, one .. "\2")
  return one, two, hmac(temp, two .. "\3")
end

function Noise:mix_key(input)
  self.chain, self.key = self:derive(input)
  self.sealed = 0
end

function Noise:mix_hash(data)
  self.hash = sha256(self.hash .. data)
end

function Noise:mix_key_and_hash(input)
  local chain, hash, key = self:derive(input)
  self.chain, self.key, self.sealed = chain, key, 0
  self:mix_hash(hash)
end

function Noise:open(sealed)
  local nonce = ("\0"):rep(4) .. pack64(self.sealed)
  local plain = gcm_open(gcm_key(self.key), nonce, self.hash, sealed:sub(1, -17), sealed:sub(-16))
  if plain then
    self:mix_hash(sealed)
    self.sealed = self.sealed + 1
  end
  return plain
end

-- The frames of FIN and root0, when the bodies fit each other and the secrets; of what else was seen, nothing fits.
local function follow(secrets, one, resp, fin)
  for label in pairs(LABELS) do
    if label ~= "ROOT" and label ~= "RATCHET" and not secrets[label] then return nil end
  end
  local noise = resume(secrets)
  noise:mix_key(secrets.ES)
  local payload = noise:open(one:sub(33))
  if not payload then return nil end
  local ct, e = resp:sub(1, 1088), resp:sub(1089, 1120)
  noise:mix_hash(e)
  noise:mix_key(e)
  noise:mix_key(secrets.EE)
  noise:mix_key_and_hash(expand(hmac("sgm1 kem", secrets.SS), payload:sub(1, 1184) .. ct, 32))
  if not noise:open(resp:sub(1121)) or not noise:open(fin:sub(1, 48)) then return nil end
  noise:mix_key(secrets.SE)
  local frames = noise:open(fin:sub(49))
  if not frames then return nil end
  local client, hub = noise:derive("")
  return frames, hmac(noise.hash, client .. hub)
end

-- Frames, control messages, submissions and entries (PROTOCOL.md, Frames, Application messages) -----------------------

local VARINT_MAX = UInt64.new(0xffffffff, 0x3fffffff)

-- The value of a varint, the same for Wireshark, and the place behind it; or nothing and what is wrong.
local function varint(text, at)
  local first = byte(text, at)
  if not first then return nil, "truncated" end
  local length = floor(2 ^ floor(first / 64))
  if at + length - 1 > #text then return nil, "truncated" end
  local high, low = 0, first % 64
  for i = 1, length - 1 do
    if i == 4 then high, low = low, 0 end
    low = low * 256 + byte(text, at + i)
  end
  local value = high * WORD + low
  if length > 1 and value < 2 ^ (length * 4 - 2) then return nil, "not shortest" end
  return value, UInt64.new(low, high), at + length
end

-- UTF-8 as RFC 3629 has it: no surrogates, nothing longer than it needs to be.
local function is_utf8(text)
  local at = 1
  while at <= #text do
    local a, b = byte(text, at, at + 1)
    local more = a < 0x80 and 0 or a < 0xc2 and -1 or a < 0xe0 and 1 or a < 0xf0 and 2 or a < 0xf5 and 3 or -1
    if more < 0 or at + more > #text then return false end
    -- The second byte of these may not be any.
    local low = a == 0xe0 and 0xa0 or a == 0xf0 and 0x90 or 0x80
    local high = a == 0xed and 0x9f or a == 0xf4 and 0x8f or 0xbf
    if more > 0 and (b < low or b > high) then return false end
    for i = at + 2, at + more do
      local c = byte(text, i)
      if c < 0x80 or c > 0xbf then return false end
    end
    at = at + more + 1
  end
  return true
end

-- Reads fields of these codings from `at` on and adds them to `values`; the place behind them, or nothing and the
-- cause.
local function read_fields(text, at, group, fields, values)
  for _, field in ipairs(fields or {}) do
    local name, coding = field[1], field[2]
    local start, value, shown = at, nil, nil
    if coding == "varint" then
      value, shown, at = varint(text, at)
      if not value then return nil, shown .. " " .. name end
    else
      local length = coding
      if coding == "bytes" or coding == "string" then
        length, shown, at = varint(text, at)
        if not length then return nil, shown .. " " .. name end
        start = at
      end
      if at + length - 1 > #text then return nil, "truncated " .. name end
      value, at = text:sub(at, at + length - 1), at + length
      if coding == "string" and not is_utf8(value) then return nil, name .. " that is not UTF-8" end
      shown = value
    end
    values[#values + 1] = { key = group .. "." .. name, value = value, shown = shown, from = start, to = at - 1 }
    -- Numbers of Lua are exact below 2^53, those of Wireshark always.
    values[name], values[name .. "64"] = value, shown
  end
  return at
end

-- An item of FRAMES or MESSAGES whose type was read before `at`.
local function read_item(text, at, item, group, values)
  local cause
  at, cause = read_fields(text, at, group, item.fields, values)
  if at and item.repeated then
    -- An ACK of more ranges is refused before they are read.
    if group == "ack" and values.count > 32 then return nil, "too many ranges" end
    for _ = 1, values.count do
      at, cause = read_fields(text, at, group, item.repeated, values)
      if not at then break end
    end
  end
  if at then at, cause = read_fields(text, at, group, item.behind, values) end
  return at, cause
end

-- What PROTOCOL.md refuses although its fields decode.
local CHECKS = {
  ack = function(frame)
    local lowest = frame.largest64
    local function lower(by)
      if lowest < by then return false end
      lowest = lowest - by
      return true
    end
    for _, value in ipairs(frame) do
      local is_range = value.key == "ack.first" or value.key == "ack.length"
      local is_gap = value.key == "ack.gap"
      if is_range and not lower(value.shown) or is_gap and not (lower(value.shown) and lower(UInt64(2))) then
        return "an acknowledgement of a number below 0"
      end
    end
  end,
  stream = function(frame)
    if frame.stream > WORD or frame.offset64 + UInt64(#frame.data) > VARINT_MAX then return "a stream out of range" end
  end,
  max_stream = function(frame)
    if frame.stream > WORD then return "a stream out of range" end
  end,
  entries = function(frame)
    if frame.first64 + frame.count64 > VARINT_MAX then return "entries out of range" end
  end,
  fragment = function(frame)
    if frame.offset + #frame.data > frame.total or frame.total > 66560 then return "a fragment out of range" end
  end,
}

-- The frames of a payload, or nothing and the cause: they decode to the last byte or not at all.
local function read_frames(text, side)
  local frames, at = {}, 1
  if text == "" then return nil, "no frame" end
  while at <= #text do
    local kind, shown, behind = varint(text, at)
    if not kind then return nil, shown .. " frame type" end
    local item = FRAMES[kind]
    local frame = { kind = kind, shown = shown, from = at, type_to = behind - 1, item = item }
    local cause
    if kind == 0 then
      behind = text:find("[^%z]", at) or #text + 1
      frame.padding = behind - at
      at = behind
    elseif kind >= 0x40 then
      at, cause = read_fields(text, behind, "extension", { { "data", "bytes" } }, frame)
    elseif not item then
      return nil, ("unknown frame 0x%02x"):format(kind)
    elseif item.from and item.from ~= side then
      return nil, item.name .. " of the wrong side"
    else
      at, cause = read_item(text, behind, item, item.group, frame)
      local check = CHECKS[item.group]
      if at and check then cause = check(frame) end
    end
    if cause or not at then return nil, cause end
    frame.to = at - 1
    frames[#frames + 1] = frame
  end
  return frames
end

local function read_message(text)
  local kind, shown, at = varint(text, 1)
  if not kind then return nil end
  local message = { what = "control", text = text }
  message[1] = { key = "control.type", value = kind, shown = shown, from = 1, to = at - 1 }
  local item = MESSAGES[kind]
  message.title = item and item.name or ("message 0x%02x"):format(kind)
  if item and not read_item(text, at, item, "control", message) then return nil end
  return message
end

local function add_value(values, key, value, from, to)
  values[#values + 1] = { key = key, value = value, shown = value, from = from, to = to }
end

-- Kinds whose body begins with the number of the entry they are about: REPLY, EDIT, DELETE, REACT.
local function is_about_another(kind)
  return kind >= 6 and kind <= 9
end

local function read_body(values, group, kind, text, at)
  if is_about_another(kind) then
    local target, shown, behind = varint(text, at)
    if target then
      values[#values + 1] = { key = group .. ".target", value = target, shown = shown, from = at, to = behind - 1 }
      at = behind
    end
  end
  local key = group .. ".text"
  local body = text:sub(at)
  add_value(values, key, body, at, #text)
  if is_utf8(body) then values.body = body end
end

local function read_submission(text)
  if #text < 17 then return nil end
  local submission = { what = "submission", text = text }
  add_value(submission, "submission.id", text:sub(1, 16), 1, 16)
  add_value(submission, "submission.kind", byte(text, 17), 17, 17)
  read_body(submission, "submission", byte(text, 17), text, 18)
  return submission
end

local function read_entry(sequence, text)
  local entry = { what = "entry", text = text }
  add_value(entry, "entry.sequence", sequence, 1, 0)
  local head = { { "author", "varint" }, { "id", 16 }, { "time", "varint" }, { "kind", 1 }, { "name", "string" } }
  local at = read_fields(text, 1, "entry", head, entry)
  if not at or #text - at + 1 > 65536 then return nil end
  local kind = 0
  for _, value in ipairs(entry) do
    if value.key == "entry.kind" then
      kind = byte(value.value)
      value.shown = kind
    end
  end
  read_body(entry, "entry", kind, text, at)
  return entry
end

-- Bytes that arrive in any order, and may arrive again. What waits for a gap is bounded.
local WAITING_MAX = 262144

local function new_pieces()
  return { start = 0, joined = "", waiting = {}, waiting_bytes = 0 }
end

local function insert_piece(pieces, offset, data)
  local stop = pieces.start + #pieces.joined
  if offset + #data <= stop or pieces.waiting_bytes + #data > WAITING_MAX then return end
  table.insert(pieces.waiting, { offset, data })
  pieces.waiting_bytes = pieces.waiting_bytes + #data
  table.sort(pieces.waiting, function(a, b) return a[1] < b[1] end)
  while pieces.waiting[1] and pieces.waiting[1][1] <= stop do
    local piece = table.remove(pieces.waiting, 1)
    pieces.waiting_bytes = pieces.waiting_bytes - #piece[2]
    pieces.joined = pieces.joined .. piece[2]:sub(stop - piece[1] + 1)
    stop = pieces.start + #pieces.joined
  end
end

-- The whole messages in front, without their lengths.
local function take_messages(pieces)
  local messages = {}
  while true do
    local length, _, at = varint(pieces.joined, 1)
    if not length or at + length - 1 > #pieces.joined then break end
    messages[#messages + 1] = pieces.joined:sub(at, at + length - 1)
    pieces.joined = pieces.joined:sub(at + length)
    pieces.start = pieces.start + at + length - 1
  end
  -- No message is this long: what the length said was no length.
  if #pieces.joined > WAITING_MAX then pieces.start, pieces.joined = math.huge, "" end
  return messages
end

-- What becomes whole with these frames, where its last byte is.
local function said_in(frames, streams, side)
  local said = {}
  local function pieces_of(key)
    streams[key] = streams[key] or new_pieces()
    return streams[key]
  end
  for _, frame in ipairs(frames) do
    local group = frame.item and frame.item.group
    if group == "stream" then
      local pieces = pieces_of(side .. frame.stream)
      insert_piece(pieces, frame.offset, frame.data)
      for _, text in ipairs(take_messages(pieces)) do
        said[#said + 1] = frame.stream == 0 and read_message(text) or frame.stream > 0 and read_submission(text) or nil
      end
    elseif group == "entries" then
      local sequence = frame.first64
      for _, value in ipairs(frame) do
        if value.key == "entries.entry" then
          said[#said + 1] = read_entry(sequence, value.value)
          sequence = sequence + UInt64(1)
        end
      end
    elseif group == "fragment" then
      local key = "entry " .. tostring(frame.room64) .. " " .. tostring(frame.sequence64)
      local pieces = pieces_of(key)
      insert_piece(pieces, frame.offset, frame.data)
      if #pieces.joined >= frame.total then
        said[#said + 1] = read_entry(frame.sequence64, pieces.joined)
        streams[key] = nil
      end
    end
  end
  return said
end

-- In one line ---------------------------------------------------------------------------------------------------------

local SHOWN = 60

local function quote(text)
  if #text > SHOWN then
    local stop = SHOWN
    -- Not in the middle of a character.
    while stop > 0 and byte(text, stop + 1) >= 0x80 and byte(text, stop + 1) < 0xc0 do stop = stop - 1 end
    text = text:sub(1, stop) .. "…"
  end
  return '"' .. text:gsub("[%c]", " ") .. '"'
end

local function number_of(value)
  return ("%.0f"):format(value)
end

local function summary(frame)
  if frame.padding then return "PADDING " .. frame.padding end
  local item = frame.item
  if not item then return ("extension 0x%x, %d bytes"):format(frame.kind, #frame.data) end
  local words = { item.name }
  for _, value in ipairs(frame) do
    local name = value.key:match("%.(.*)$")
    if type(value.value) == "number" then
      words[#words + 1] = name .. " " .. tostring(value.shown)
    elseif name == "text" then
      words[#words + 1] = quote(value.value)
    elseif name == "data" and #value.value == 8 then
      words[#words + 1] = hex(value.value)
    else
      words[#words + 1] = ("%d bytes"):format(#value.value)
    end
  end
  return concat(words, " ")
end

local ENTRY_KINDS = { [1] = "says", [2] = "does" }

local function said_summary(said)
  if said.what == "control" then return said.title end
  local kind, name, body = nil, nil, said.body
  for _, value in ipairs(said) do
    if value.key:match("kind$") then kind = value.shown end
    if value.key == "entry.name" then name = value.value end
  end
  local verb = ENTRY_KINDS[kind] or "entry of kind " .. tostring(kind)
  return (name and name .. " " or "") .. verb .. (body and body ~= "" and " " .. quote(body) or "")
end

-- Sessions ------------------------------------------------------------------------------------------------------------

local LONG_VERSION = "SGM1"
local SHORT_LENGTHS = {}
for _, length in ipairs({ 93, 157, 285, 541, 1053, 1200, 1232, 1372, 1432, 1452 }) do SHORT_LENGTHS[length] = true end
-- Silence after which the hub forgets a session, and how long datagrams may be under way, in seconds.
local IDLE, LATE = 30, 10
-- Bytes of datagrams that are kept to go through them again.
local KEPT_MAX = 134217728

-- Stages of a handshake as an observer sees it.
local UNSEEN, OPENING, OFFERED, ANSWERED, FINISHED, ESTABLISHED = 0, 1, 2, 3, 4, 5

-- Everything learned from the packets, made anew whenever a capture is read from its beginning.
local state

-- `last` is when each was heard last, where the whole capture is known.
local function new_state(last)
  return {
    last = last,
    kept = {},          -- datagrams to go through again, unless there are too many
    kept_bytes = 0,
    sessions = {},      -- in order of appearance
    attempts = {},      -- sessions of an attempt id between a pair of addresses
    of_attempt = {},    -- sessions of an attempt id between any addresses
    connections = {},   -- sessions of a connection id from one address to another
    by_hub = {},        -- the same without the client's address
    of_pair = {},       -- sessions of a pair, in order of appearance
    heard = {},         -- when a client was heard last, by session
    last_between = {},  -- when something came from one address to another
    unexplained = {},   -- ids towards a hub that no session explained
    keys = {},          -- keys of attempts: generations, each with two sides
    ids = {},           -- the owners of connection ids
    used = {},          -- the datagram that each packet number sealed, by attempt, side and number
    ephemeral = {},     -- the first body with each ephemeral key
    streams = {},       -- pieces of streams, by attempt
    results = {},       -- what was found out about a datagram, by frame and place
  }
end

local function find(result, rule, text)
  table.insert(result.findings, { rule, text })
end

-- The same for what is said once of a session, however often it shows.
local function find_once(result, session, rule, text)
  if not session.said[rule] then find(result, rule, "attempt " .. hex(session.attempt) .. " " .. text) end
  session.said[rule] = true
end

local function pair_of(sight)
  local a, b = sight.source, sight.destination
  return a < b and a .. " " .. b or b .. " " .. a
end

-- What the first bytes of a datagram claim: "long" with its layout, "bad long", "short", or nothing.
local function claim_of(datagram)
  local first = byte(datagram, 1)
  if not first then return nil end
  local form = floor(first / 64)
  if form == 3 and datagram:sub(2, 5) == LONG_VERSION then
    local layout = LAYOUTS[rshift(first, 2) % 16]
    if layout and layout.bytes == #datagram then return "long", layout end
    return "bad long"
  end
  if form == 1 and #datagram >= 29 then return "short" end
end

local function derive_ids(series, stop)
  while series.derived < stop do
    local id = connection_id(series.keys, series.side, series.generation, series.derived)
    -- Of an id that two sessions share by a rare chance, the first owner stays.
    state.ids[id] = state.ids[id] or { series = series, index = series.derived }
    series.derived = series.derived + 1
  end
end

local function owner_of(id)
  local place = state.ids[id]
  if not place then return nil end
  derive_ids(place.series, place.index + IDS_AHEAD)
  return place.series
end

local function add_generation(attempt, root)
  local keys = state.keys[attempt] or {}
  state.keys[attempt] = keys
  local generation = {}
  for side in pairs(SIDES) do
    generation[side] = new_generation(root, side)
    local series = { attempt = attempt, side = side, generation = #keys, keys = generation[side], derived = 0 }
    derive_ids(series, IDS_AHEAD)
  end
  generation.root = root
  keys[#keys + 1] = generation
end

-- The roots that the log has of an attempt, as far as they are not known yet.
local function learn(attempt)
  local secrets = key_log.attempts[attempt]
  if not secrets then return end
  if not state.keys[attempt] and secrets.ROOT then add_generation(attempt, secrets.ROOT) end
  local keys = state.keys[attempt]
  while keys and secrets.ratchets[#keys] do add_generation(attempt, secrets.ratchets[#keys]) end
end

-- Reads on in the key log, and learns what it has of the attempts of this capture.
local function refresh_keys()
  local version, path = key_log.version, key_log.path
  read_key_log()
  if key_log.version ~= version or key_log.path ~= path then
    for attempt in pairs(state.of_attempt) do learn(attempt) end
  end
end

local function session_of(attempt, layout, sight)
  local key = pair_of(sight) .. " " .. attempt
  local session = state.attempts[key]
  if not session then
    local from_client = layout.from == "client"
    session = {
      index = #state.sessions,
      attempt = attempt,
      client = from_client and sight.source or sight.destination,
      hub = from_client and sight.destination or sight.source,
      stage = UNSEEN,
      ids = { client = {}, hub = {} },
      bodies = {},
      largest = {},
      said = {},
      order = { client = {}, hub = {} },
    }
    state.attempts[key] = session
    table.insert(state.sessions, session)
    state.of_pair[pair_of(sight)] = state.of_pair[pair_of(sight)] or {}
    table.insert(state.of_pair[pair_of(sight)], session)
    state.of_attempt[attempt] = state.of_attempt[attempt] or {}
    table.insert(state.of_attempt[attempt], session)
    learn(attempt)
  end
  return session
end

local function last_that(list, test)
  for at = #(list or {}), 1, -1 do
    if test(list[at]) then return list[at] end
  end
end

-- The session of these addresses whose handshake is finished, the newest; one without keys first, since an id that no
-- key gave is of such a one.
local function finished(sight, test)
  local own = state.of_pair[pair_of(sight)]
  for _, covered in ipairs({ false, true }) do
    local found = last_that(own, function(session)
      local is_covered = state.keys[session.attempt] ~= nil
      return session.stage >= FINISHED and is_covered == covered and (not test or test(session))
    end)
    if found then return found end
  end
end

-- The session of this hub whose client may have moved to the address of the sender: of those that are not heard any more
-- where they were, and were not long ago, the one heard last.
local function moved_here(sight)
  local thread = sight.destination .. " " .. sight.id
  if state.unexplained[thread] then return nil end
  state.is_uncertain = true
  local between = state.last and state.last.between or state.last_between
  local best, best_heard
  for _, session in ipairs(state.sessions) do
    if session.hub == sight.destination and session.stage == ESTABLISHED and not state.keys[session.attempt] then
      local heard = state.heard[session] or between[session.client .. " " .. session.hub]
      local number, time = heard and heard.number or 0, heard and heard.time or sight.time
      local has_left = number < sight.number or time - sight.time <= LATE
      if has_left and sight.time - time <= IDLE and (not best or number >= best_heard) then
        best, best_heard = session, number
      end
    end
  end
  if not best then state.unexplained[thread] = true end
  return best
end

-- The session of a SHORT datagram, and whether its id is known to be the session's.
local function place_of(sight)
  local owner = owner_of(sight.id)
  local sessions = owner and state.of_attempt[owner.attempt]
  if sessions then
    local hub = owner.side == "client" and sight.destination or sight.source
    local here = last_that(state.of_pair[pair_of(sight)], function(session) return session.attempt == owner.attempt end)
    for _, session in ipairs(sessions) do
      if not here and session.hub == hub then here = session end
    end
    return here or sessions[1], true, owner
  end
  local ends = state.connections[sight.source .. " " .. sight.destination .. " " .. sight.id]
  if ends then return ends, true end
  local function side_of(session) return session.hub == sight.destination and "client" or "hub" end
  local without_id = finished(sight, function(session) return next(session.ids[side_of(session)]) == nil end)
  if without_id then return without_id, false end
  local by_id = state.by_hub[sight.destination .. " client " .. sight.id]
    or state.by_hub[sight.source .. " hub " .. sight.id]
  if by_id then return by_id, true end
  local own = state.of_pair[pair_of(sight)]
  return finished(sight) or moved_here(sight) or own and own[#own], false
end

-- Takes note that this id and these addresses are the session's.
local function settle(result, sight, session, side)
  state.connections[sight.source .. " " .. sight.destination .. " " .. sight.id] = session
  local pair = pair_of(sight)
  state.of_pair[pair] = state.of_pair[pair] or {}
  if not last_that(state.of_pair[pair], function(other) return other == session end) then
    table.insert(state.of_pair[pair], session)
  end
  local hub = side == "client" and sight.destination or sight.source
  state.by_hub[hub .. " " .. side .. " " .. sight.id] = session
  session.ids[side][sight.id] = true
  if side == "client" then
    local last = state.last and state.last.under[sight.destination .. " " .. sight.id] or sight
    local heard = state.heard[session]
    if not heard or last.number > heard.number then
      state.heard[session] = { number = last.number, time = last.time }
    end
  end
  local client = side == "client" and sight.source or sight.destination
  if client ~= session.client then
    find_once(result, session, "session.moved", "goes on at another address of its client")
  end
end

-- The stage after a datagram, or nothing and the reason why it may not come yet. What is repeated or late changes
-- nothing.
local function next_stage(session, layout, side)
  if layout.from ~= "both" and layout.from ~= side then return nil, "it comes from the wrong side" end
  local name, stage = layout.name, session.stage
  local both = session.bodies[0] and session.bodies[1]
  local table_of = {
    INIT = { UNSEEN, both and OFFERED or OPENING, "" },
    RESP = { OFFERED, ANSWERED, "RESP before both INIT fragments" },
    RETRY = { OPENING, OPENING, "an answer before INIT" },
    VERSION = { OPENING, OPENING, "an answer before INIT" },
    FIN = { ANSWERED, FINISHED, "FIN before RESP" },
    SHORT = side == "client" and { ESTABLISHED, ESTABLISHED, "a SHORT datagram of the client before one of the hub" }
      or { FINISHED, ESTABLISHED, "a SHORT datagram of the hub before FIN" },
  }
  local earliest, reached, reason = table_of[name][1], table_of[name][2], table_of[name][3]
  if stage < earliest then return nil, reason end
  return math.max(stage, reached)
end

local function join(session, layout, side, result)
  local stage, reason = next_stage(session, layout, side)
  if stage then
    session.stage = stage
    return
  end
  -- The client's address changed in the middle of the handshake: nothing follows from what comes from the new one.
  for _, other in ipairs(state.of_attempt[session.attempt]) do
    if other.hub == session.hub and other.client ~= session.client and next_stage(other, layout, side) then return end
  end
  find(result, "session.order", "attempt " .. hex(session.attempt) .. ": " .. reason)
end

-- Opening -------------------------------------------------------------------------------------------------------------

-- Whether a number lies between those sealed under older and under newer keys of its side. A hub sends everything under
-- the next generation once it does so at all; a client goes on under the present one until it has heard the hub.
local function fits_order(order, side, generation, epoch, number)
  local fits, own = true, nil
  for _, key in ipairs(order) do
    local same = key.generation == generation
    if same and key.epoch == epoch then
      own = key
    elseif same or side == "hub" then
      local older = key.generation < generation or same and key.epoch < epoch
      if older and key.highest >= number or not older and key.lowest <= number then fits = false end
    end
  end
  if own then
    own.lowest, own.highest = math.min(own.lowest, number), math.max(own.highest, number)
  else
    table.insert(order, { generation = generation, epoch = epoch, lowest = number, highest = number })
  end
  return fits
end

-- Takes in what an opened datagram says.
local function take_plain(result, session, side, plain)
  local frames, cause = read_frames(plain, side)
  if not frames then
    local text = "the sealed frames do not decode: " .. cause
    find(result, "sealed.frames", text)
    result.info = (result.info or "FIN") .. " " .. text
    return
  end
  local attempt = session.attempt
  state.streams[attempt] = state.streams[attempt] or {}
  result.frames, result.said = frames, said_in(frames, state.streams[attempt], side)
  local lines = {}
  for _, said in ipairs(result.said) do lines[#lines + 1] = said_summary(said) end
  for _, frame in ipairs(frames) do lines[#lines + 1] = summary(frame) end
  result.info = (result.info or "FIN") .. " " .. concat(lines, ", ")
end

-- Every body of one kind that this handshake has, from whatever address.
local function bodies_of(session, kind)
  local own = session.bodies[kind]
  if own then return own end
  for _, other in ipairs(state.of_attempt[session.attempt]) do
    if other.hub == session.hub and other.bodies[kind] then return other.bodies[kind] end
  end
  return {}
end

local RESP, FIN = 2, 4

local function follow_any(session, secrets, fin)
  for _, first in ipairs(bodies_of(session, 0)) do
    for _, second in ipairs(bodies_of(session, 1)) do
      if sha256(first .. second):sub(1, 8) == session.attempt then
        for _, resp in ipairs(bodies_of(session, RESP)) do
          local frames, root = follow(secrets, first .. second, resp, fin)
          if frames then return frames, root end
        end
      end
    end
  end
end

local function open_fin(result, session, fin)
  if session.opened_fin == fin then return end
  refresh_keys()
  local secrets = key_log.attempts[session.attempt]
  if not secrets then
    if key_log.version > 0 then find_once(result, session, "sealed.no-secrets", "is not in the key log") end
    return
  end
  local frames, root = follow_any(session, secrets, fin)
  if not frames and session.opened_fin then
    find(result, "sealed.tag", "a FIN of attempt " .. hex(session.attempt) .. " does not open")
  elseif not frames then
    find_once(result, session, "sealed.not-derived", "has keys that could not be derived from its handshake")
  else
    session.opened_fin = fin
    if secrets.ROOT and secrets.ROOT ~= root then
      find(result, "sealed.root", "the root in the key log is not the one of the handshake")
    end
    local known = state.keys[session.attempt]
    if not known or known[1].root ~= root then
      state.keys[session.attempt] = nil
      add_generation(session.attempt, root)
      learn(session.attempt)
    end
    result.opened, result.clear = 1, frames
    take_plain(result, session, "client", frames)
    for _, frame in ipairs(result.frames or {}) do
      if frame.kind ~= 0 and frame.kind ~= 4 and frame.kind < 0x40 then
        find(result, "sealed.fin-frames", "FIN carries a frame that it may not carry")
        break
      end
    end
  end
end

local function open_datagram(result, session, owner, datagram, sight)
  local side, attempt = owner.side, hex(session.attempt)
  local opened = open_short(owner.keys, datagram, session.largest[side])
  if not opened then
    find(result, "sealed.tag", "a SHORT datagram of attempt " .. attempt .. " does not open")
    return
  end
  local number = opened.number
  session.largest[side] = math.max(session.largest[side] or 0, number)
  result.opened, result.number, result.number_length = sealgram.prefs.verify_tags and 1 or 2, number, opened.length
  result.truncated = number % 256 ^ opened.length
  result.epoch, result.generation = opened.epoch, owner.generation
  result.clear, result.header_length = opened.header .. opened.plain, #opened.header
  result.info = "#" .. number_of(number)
  if owner.generation > 0 or opened.epoch > 0 then
    result.info = ("%s (generation %d, epoch %d)"):format(result.info, owner.generation, opened.epoch)
  end
  if not fits_order(session.order[side], side, owner.generation, opened.epoch, number) then
    local text = ("packet %s was sealed under an older key than one before it"):format(number_of(number))
    find(result, "sealed.key-order", text)
  end
  local used = session.attempt .. side .. number_of(number)
  local earlier = state.used[used]
  state.used[used] = earlier or { datagram = datagram, number = sight.number }
  if earlier and earlier.datagram ~= datagram then
    local text = "packet number %s seals two datagrams; the other is packet %d"
    find(result, "sealed.nonce-reuse", text:format(number_of(number), earlier.number))
  elseif earlier then
    result.repeats = earlier.number
    result.info = ("%s, the same datagram as packet %d"):format(result.info, earlier.number)
  else
    take_plain(result, session, side, opened.plain)
    for _, said in ipairs(result.said or {}) do
      if said.title == "RATCHET_RSP" then session.ratchets = (session.ratchets or 0) + 1 end
    end
  end
end

-- Recognition ---------------------------------------------------------------------------------------------------------

local CANDIDATES_MAX = 4

-- What can be seen of a handshake datagram without keys.
local function check_long(result, session, key, body)
  local list = session.bodies[key] or {}
  session.bodies[key] = list
  for _, known in ipairs(list) do
    if known == body then return end
  end
  if #list >= CANDIDATES_MAX then return end
  table.insert(list, body)
  if #list == 2 and key ~= RESP then
    local text = "attempt %s has two different %s datagrams"
    find(result, "handshake.rebuilt", text:format(hex(session.attempt), result.layout.name))
  end
  if key <= 1 and session.bodies[0] and session.bodies[1] and not session.is_checked then
    session.is_checked = true
    if sha256(session.bodies[0][1] .. session.bodies[1][1]):sub(1, 8) ~= session.attempt then
      find_once(result, session, "handshake.attempt-id", "is not the hash of its message 1")
    end
  end
  local ephemeral = key == 0 and body:sub(1, 32) or key == RESP and body:sub(1089, 1120)
  if ephemeral then
    if not ephemeral:find("[^%z]") then find(result, "handshake.ephemeral-zero", "an ephemeral key of zero bytes") end
    local other = state.ephemeral[ephemeral]
    if other and other ~= body then
      find(result, "handshake.ephemeral-reused", "2 handshake messages use the same ephemeral key")
    end
    state.ephemeral[ephemeral] = other or body
  end
end

-- A VERSION lists versions of this protocol and GREASE, filled up with zeros.
local function check_versions(result, versions)
  for at = 1, 16, 4 do
    local version, grease = versions:sub(at, at + 3), true
    for i = 1, 4 do grease = grease and byte(version, i) % 16 == 10 end
    if version ~= "\0\0\0\0" and version:sub(1, 3) ~= "SGM" and not grease then
      find(result, "session.version", "a VERSION datagram lists what is no version")
      return
    end
  end
end

local function take_long(layout, datagram, sight)
  local key, attempt = rshift(byte(datagram, 1), 2) % 16, datagram:sub(6, 13)
  local result = { layout = layout, findings = {}, opened = 0 }
  local about = layout.name == "INIT" and ("INIT %d/2"):format(key % 2 + 1) or layout.name
  if layout.name == "KEYREQ" or layout.name == "KEY" then
    result.info = about
    return result
  end
  result.info = about .. ", attempt " .. hex(attempt)
  local session = session_of(attempt, layout, sight)
  result.session, result.side = session, session.hub == sight.destination and "client" or "hub"
  if layout.bytes == 1200 then check_long(result, session, key, datagram:sub(14, 1168)) end
  if layout.name == "VERSION" then check_versions(result, datagram:sub(14, 29)) end
  join(session, layout, result.side, result)
  if key == FIN then open_fin(result, session, datagram:sub(14, 1168)) end
  return result
end

local function take_short(datagram, sight)
  if #state.sessions == 0 then return nil end
  sight.id = datagram:sub(2, 9)
  local is_legal = SHORT_LENGTHS[#datagram]
  local session, is_known, owner = place_of(sight)
  if is_legal then
    state.last_between[sight.source .. " " .. sight.destination] = { number = sight.number, time = sight.time }
  end
  if not session or not (is_known or is_legal) then return nil end
  local result = { layout = LAYOUTS.short, findings = {}, opened = 0, session = session }
  if not is_legal then
    result.info = "a SHORT datagram whose length is none of the allowed ones"
    find(result, "session.format", result.info)
    return result
  end
  result.side = owner and owner.side or session.hub == sight.destination and "client" or "hub"
  result.info = "SHORT, connection " .. hex(sight.id)
  settle(result, sight, session, result.side)
  join(session, LAYOUTS.short, result.side, result)
  if not owner then
    refresh_keys()
    owner = owner_of(sight.id)
  end
  local keys = state.keys[session.attempt]
  if owner and owner.attempt == session.attempt then
    open_datagram(result, session, owner, datagram, sight)
  elseif keys then
    local text = "connection id " .. hex(sight.id) .. " is not one that the session's keys give"
    if (session.ratchets or 0) < #keys then
      find(result, "sealed.connection-id", text)
    else
      find(result, "sealed.no-generation", text .. "; the key log lacks the root of a generation")
    end
  end
  return result
end

-- What there is to say of a datagram; nothing, when it is not ours.
local function take(datagram, sight, is_told)
  local claim, layout = claim_of(datagram)
  if claim == "long" then return take_long(layout, datagram, sight) end
  if claim == "short" then
    local result = take_short(datagram, sight)
    if not result and is_told and SHORT_LENGTHS[#datagram] then
      local info = "SHORT, connection " .. hex(datagram:sub(2, 9))
      result = { layout = LAYOUTS.short, findings = {}, opened = 0, info = info }
    end
    return result
  end
  if claim == "bad long" and state.of_pair[pair_of(sight)] then
    local result = { findings = {}, opened = 0, info = "a LONG datagram of no legal type and length" }
    find(result, "session.format", result.info)
    return result
  end
end

-- In the tree ---------------------------------------------------------------------------------------------------------

local function add_bits(item, range, bits, masked)
  for _, bit in ipairs(bits) do
    if not masked or bit[1] == "form" then item:add(F[bit[1]], range) end
  end
end

local function add_layout(root, tvb, layout, result)
  local at = 0
  for _, part in ipairs(layout) do
    local name, length = part[1], part[2]
    if length == "number" then length = result.number_length end
    if length < 0 then length = tvb:len() - at + length end
    local range = tvb(at, length)
    if name == "number" then
      root:add(F[name], range, UInt64.new(result.truncated, 0))
    else
      local item = root:add(F[name], range)
      if name == "first" then
        local is_short = layout == LAYOUTS.short or layout == LAYOUTS.opened
        add_bits(item, range, is_short and SHORT_BITS or LONG_BITS, is_short)
      end
    end
    at = at + length
  end
end

-- Values that were read from `text`, which stands at `offset` of the buffer.
local function add_values(item, buffer, offset, values)
  for _, value in ipairs(values) do
    local length = value.to - value.from + 1
    if type(value.shown) ~= "string" and length > 0 then
      item:add(F[value.key], buffer(offset + value.from - 1, length), value.shown)
    elseif type(value.shown) ~= "string" then
      item:add(F[value.key], value.shown):set_generated()
    elseif length > 0 then
      item:add_packet_field(F[value.key], buffer(offset + value.from - 1, length), ENC_UTF_8)
    elseif value.key:match("text$") or value.key:match("name$") then
      item:add(F[value.key], "")
    end
  end
end

local function add_frames(root, buffer, offset, frames)
  for _, frame in ipairs(frames) do
    local item = root:add(F["frame.type"], buffer(offset + frame.from - 1, frame.to - frame.from + 1), frame.shown)
    item:set_text(summary(frame))
    if frame.padding then
      item:add(F["padding.length"], buffer(offset + frame.from - 1, frame.padding), frame.padding)
    end
    add_values(item, buffer, offset, frame)
    if frame.message then
      local inner = {}
      local kind, shown, at = varint(frame.message, 1)
      if kind then
        inner[1] = { key = "ephemeral.type", shown = shown, from = 1, to = at - 1 }
        if kind == 1 then read_fields(frame.message, at, "ephemeral", { { "name", "string" } }, inner) end
        add_values(item, buffer, offset + frame.to - #frame.message, inner)
      end
    end
  end
end

local function add_said(root, said)
  if #said == 0 then return end
  local texts = {}
  for _, one in ipairs(said) do texts[#texts + 1] = one.text end
  local buffer, offset = ByteArray.new(concat(texts), true):tvb("Said"), 0
  for _, one in ipairs(said) do
    local item = root:add(sealgram, buffer(offset, #one.text), said_summary(one))
    add_values(item, buffer, offset, one)
    offset = offset + #one.text
  end
end

local function add_clear(root, result)
  if not result.clear or result.clear == "" then return end
  local buffer = ByteArray.new(result.clear, true):tvb("Decrypted")
  local offset = result.header_length or 0
  if result.header_length then
    local item = root:add(sealgram, buffer(0, result.header_length), "Header without its mask")
    add_bits(item, buffer(0, 1), { SHORT_BITS[2], SHORT_BITS[3], SHORT_BITS[4] })
  end
  add_frames(root, buffer, offset, result.frames or {})
  add_said(root, result.said or {})
end

local function number64(value)
  return UInt64.new(value % WORD, floor(value / WORD))
end

local function show(result, tvb, pinfo, tree)
  pinfo.cols.protocol = "Sealgram"
  pinfo.cols.info = result.info
  local root = tree:add(sealgram, tvb(), "Sealgram, " .. result.info)
  local layout = result.layout
  if layout then add_layout(root, tvb, result.number and LAYOUTS.opened or layout, result) end
  local function derived(key, value) root:add(F[key], value):set_generated() end
  if layout then derived("message", layout.name) end
  derived("length", tvb:len())
  if result.session and result.side then
    derived("session", result.session.index)
    derived("session.attempt_id", hex(result.session.attempt))
    derived("direction", result.side)
  end
  derived("opened", result.opened)
  if result.number then
    derived("packet_number", number64(result.number))
    derived("epoch", number64(result.epoch))
    derived("generation", number64(result.generation))
  end
  if result.repeats then derived("repeats", result.repeats) end
  add_clear(root, result)
  for _, finding in ipairs(result.findings) do
    root:add_proto_expert_info(EXPERTS[finding[1]], finding[1] .. ": " .. finding[2])
  end
end

-- In Wireshark --------------------------------------------------------------------------------------------------------

-- Goes through the capture again, now that it is known when each was heard last.
local function look_back()
  local kept, last = state.kept, { under = {}, between = {} }
  for _, one in ipairs(kept) do
    local sight, datagram = one.sight, one.datagram
    if claim_of(datagram) == "short" and SHORT_LENGTHS[#datagram] then
      last.under[sight.destination .. " " .. datagram:sub(2, 9)] = sight
      last.between[sight.source .. " " .. sight.destination] = sight
    end
  end
  state = new_state(last)
  for _, one in ipairs(kept) do state.results[one.key] = take(one.datagram, one.sight, one.is_told) end
end

-- Keeps what `look_back` may need.
local function keep(key, datagram, sight, is_told)
  if not state.kept or #state.sessions == 0 or not claim_of(datagram) then return end
  state.kept_bytes = state.kept_bytes + #datagram
  if state.kept_bytes > KEPT_MAX then
    state.kept = nil
  else
    table.insert(state.kept, { key = key, datagram = datagram, sight = sight, is_told = is_told })
  end
end

local function dissect(tvb, pinfo, tree, is_told)
  if pinfo.visited and state.is_uncertain and state.kept and not state.last then look_back() end
  local key = pinfo.number .. " " .. tvb:offset()
  local result = state.results[key]
  if result == nil and not pinfo.visited then
    local sight = {
      source = tostring(pinfo.src) .. "|" .. pinfo.src_port,
      destination = tostring(pinfo.dst) .. "|" .. pinfo.dst_port,
      number = pinfo.number,
      time = tonumber(tostring(pinfo.abs_ts)) or 0,
    }
    -- A datagram that was not captured whole cannot be judged.
    if tvb:reported_len() == tvb:len() then
      local datagram = tvb:raw()
      result = take(datagram, sight, is_told)
      keep(key, datagram, sight, is_told)
    end
    state.results[key] = result
  end
  if not result then return false end
  show(result, tvb, pinfo, tree)
  return true
end

function sealgram.dissector(tvb, pinfo, tree)
  return dissect(tvb, pinfo, tree, true) and tvb:len() or 0
end

function sealgram.init()
  state, key_log = new_state(), new_key_log(sealgram.prefs.keylog_file)
  read_key_log()
end

local udp_ports, present_port = DissectorTable.get("udp.port"), 0

function sealgram.prefs_changed()
  if present_port ~= 0 then udp_ports:remove(present_port, sealgram) end
  present_port = sealgram.prefs.udp_port
  if present_port ~= 0 then udp_ports:add(present_port, sealgram) end
end

udp_ports:add_for_decode_as(sealgram)
sealgram:register_heuristic("udp", function(tvb, pinfo, tree)
  return dissect(tvb, pinfo, tree, false)
end)

-- Vectors -------------------------------------------------------------------------------------------------------------

-- `-X lua_script1:vectors=FILE` opens the vectors of a file with the AES-GCM of this file and says what came out: the
-- plaintext in hexadecimal, or `refused`. A vector is a line `key nonce aad sealed tag` in hexadecimal, `-` for none.
local vectors = (...) and tostring((...)):match("^vectors=(.+)$")
if vectors then
  for line in io.lines(vectors) do
    local words = {}
    for word in line:gmatch("%S+") do words[#words + 1] = word == "-" and "" or unhex(word) end
    local plain = gcm_open(gcm_key(words[1]), words[2], words[3], words[4], words[5])
    print("vector " .. (plain and (plain == "" and "-" or hex(plain)) or "refused"))
  end
end
