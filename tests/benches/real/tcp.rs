//! The two programs at the ends of a TCP connection: lines in at one, lines out at the other.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Prints the lines of the first connection to `address`.
pub(crate) fn receive(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("ready");
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    for line in BufReader::new(stream).lines() {
        println!("{}", line?);
    }
    Ok(())
}

/// Writes the lines of its stdin to a connection to `address`.
pub(crate) fn send(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    // What most have, whatever this machine prefers.
    socket2::SockRef::from(&stream).set_tcp_congestion(b"cubic")?;
    println!("ready");
    for line in io::stdin().lines() {
        stream.write_all(format!("{}\n", line?).as_bytes())?;
    }
    Ok(())
}
