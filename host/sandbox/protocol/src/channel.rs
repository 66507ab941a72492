//! Sealed bodies and descriptors over a `SOCK_SEQPACKET` socket pair.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest inline message: answers only, since bodies travel in memory files.
const INLINE: usize = 64 * 1024;
/// Largest body that is read: more than any argument list that a kernel takes.
const BODY: u64 = 256 * 1024 * 1024;
/// The kernel's own limit, `SCM_MAX_FD`.
const DESCRIPTORS: usize = 253;

/// One received message.
#[derive(Debug)]
pub struct Message {
    /// Inline bytes.
    pub bytes: Vec<u8>,
    /// Descriptors, all close-on-exec.
    pub fds: Vec<OwnedFd>,
}

/// A connected pair of channel ends, both close-on-exec.
///
/// # Errors
///
/// The system's.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message.
///
/// # Errors
///
/// `EPIPE` when the other end is closed; the system's others. Never raises `SIGPIPE`.
pub fn send(channel: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let body = [IoSlice::new(bytes)];
    rustix::io::retry_on_intr(|| rustix::net::sendmsg(&channel, &body, &mut control, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// Receives one message; `None` at the end of the channel.
///
/// # Errors
///
/// The system's; `WouldBlock` on a non-blocking channel without a message.
pub fn receive(channel: impl AsFd) -> io::Result<Option<Message>> {
    let mut bytes = vec![0; INLINE];
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(
            &channel,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
    })?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    bytes.truncate(received.bytes);
    Ok(Some(Message { bytes, fds }))
}

/// Sends a small value inline.
///
/// # Errors
///
/// As [`send`].
pub fn send_value<T: Serialize>(channel: impl AsFd, value: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    send(channel, &encode(value)?, fds)
}

/// Receives a small value that was sent inline; `None` at the end of the channel.
///
/// # Errors
///
/// As [`receive`]; `InvalidData` for anything but that value.
pub fn receive_value<T: DeserializeOwned>(channel: impl AsFd) -> io::Result<Option<T>> {
    receive(channel)?.map(|message| decode(&message.bytes)).transpose()
}

/// Puts a value of any size into a memory file that nobody can change any more.
///
/// # Errors
///
/// The system's.
pub fn seal<T: Serialize>(value: &T) -> io::Result<OwnedFd> {
    seal_bytes(&encode(value)?)
}

/// Puts bytes into a memory file that nobody can change any more, positioned at its start.
///
/// # Errors
///
/// The system's.
pub fn seal_bytes(bytes: &[u8]) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("spack-wasm", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut rest = bytes;
    let mut offset = 0;
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::pwrite(&file, rest, offset))?;
        offset += written as u64;
        rest = &rest[written..];
    }
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
    )?;
    Ok(file)
}

/// Reads what [`seal`] wrote.
///
/// # Errors
///
/// The system's; `InvalidData` for anything but that value.
pub fn unseal<T: DeserializeOwned>(file: impl AsFd) -> io::Result<T> {
    let size = rustix::fs::fstat(&file)?.st_size as u64;
    if size > BODY {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut bytes = vec![0; size as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        let read =
            rustix::io::retry_on_intr(|| rustix::io::pread(&file, &mut bytes[filled..], filled as u64))?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        filled += read;
    }
    decode(&bytes)
}

fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(io::Error::other)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::WireString;

    #[test]
    fn large_values_and_descriptors_arrive() {
        let (left, right) = pair().unwrap();
        let value = vec![WireString::from(OsStr::from_bytes(b"\xff\0x")); 100_000];
        let body = seal(&value).unwrap();
        send(&left, b"o", &[body.as_fd()]).unwrap();
        let message = receive(&right).unwrap().unwrap();
        assert_eq!(message.bytes, b"o");
        assert_eq!(unseal::<Vec<WireString>>(&message.fds[0]).unwrap(), value);
    }

    #[test]
    fn a_closed_channel_is_an_end_and_a_broken_pipe() {
        let (left, right) = pair().unwrap();
        drop(left);
        assert!(receive(&right).unwrap().is_none());
        assert_eq!(send(&right, b"x", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_sealed_body_cannot_be_changed() {
        let body = seal(&1u32).unwrap();
        assert!(rustix::io::pwrite(&body, b"x", 0).is_err());
    }

    #[test]
    fn nonsense_is_invalid_data() {
        let (left, right) = pair().unwrap();
        send(&left, &[0xff; 20], &[]).unwrap();
        let error = receive_value::<crate::Started>(&right).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
