//! Opening UDP sockets with the options we want.

use crate::failure::{Context, Failure};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{SocketAddr, UdpSocket};

/// Kernel buffers each way: a burst must survive the time a turn takes.
const BUFFER_BYTES: usize = 4 << 20;

/// A socket that listens on `address`.
///
/// # Errors
/// With the address and what is in the way.
pub fn bind(address: SocketAddr) -> Result<UdpSocket, Failure> {
    open(address)
        .and_then(|socket| {
            socket.bind(&address.into())?;
            Ok(socket.into())
        })
        .map_err(|error| {
            let failure = Failure::new(format!("cannot listen on {address}: {error}"));
            if error.kind() == std::io::ErrorKind::AddrInUse {
                let other = SocketAddr::new(address.ip(), 0);
                failure.advise(format!("node hub --listen {other} for any free port, or stop what uses it"))
            } else {
                failure
            }
        })
}

/// A socket that talks to `hub` alone, from any port.
///
/// # Errors
/// When there is no way to it.
pub fn connect(hub: SocketAddr) -> Result<UdpSocket, Failure> {
    let any = if hub.is_ipv4() { SocketAddr::from(([0; 4], 0)) } else { SocketAddr::from(([0; 16], 0)) };
    let socket: UdpSocket = open(any)
        .and_then(|socket| socket.bind(&any.into()).map(|()| socket.into()))
        .context("cannot open a UDP socket")?;
    socket.connect(hub).context(format!("there is no way to {hub}"))?;
    Ok(socket)
}

fn open(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Smaller buffers than asked for are a matter of speed, not of function.
    drop(socket.set_recv_buffer_size(BUFFER_BYTES));
    drop(socket.set_send_buffer_size(BUFFER_BYTES));
    socket.set_nonblocking(true)?;
    Ok(socket)
}
