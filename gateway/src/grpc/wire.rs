//! Messages whose bytes all displays share: a codec that puts a display's own few fields beside them.
//!
//! Protobuf lets fields stand in any order, so what differs from display to display, such as the number of the message, is
//! written beside bytes that were encoded once. What arrives is the contract's message and nothing else.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::Stream;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http;
use tonic::server::{Grpc, ServerStreamingService};
use tonic::{Request, Response, Status};

use super::REQUEST_BYTES_MAX;

/// What a stream reserves at once.
const BUFFER_BYTES: usize = 4 * 1024;

/// Messages are joined until there is so much; then they wait for the connection. Small, because what waits here grows old.
const JOINED_BYTES: usize = 8 * 1024;

/// A message that writes itself.
pub(super) trait Wire {
    /// Appends the message.
    fn write(&self, out: &mut impl BufMut);

    /// About how many bytes that will be.
    fn size_hint(&self) -> usize;
}

/// Appends a number where it is not 0, which is what an absent one means.
pub(super) fn put_uint(field: u32, value: u64, out: &mut impl BufMut) {
    if value != 0 {
        encode_key(field, WireType::Varint, out);
        encode_varint(value, out);
    }
}

/// Appends a number of eight bytes where it is not 0.
pub(super) fn put_fixed(field: u32, value: u64, out: &mut impl BufMut) {
    if value != 0 {
        encode_key(field, WireType::SixtyFourBit, out);
        out.put_u64_le(value);
    }
}

/// Appends a text where it is not empty.
pub(super) fn put_text(field: u32, text: &str, out: &mut impl BufMut) {
    if !text.is_empty() {
        put_head(field, text.len(), out);
        out.put_slice(text.as_bytes());
    }
}

/// Appends number and length of a field whose bytes follow.
pub(super) fn put_head(field: u32, length: usize, out: &mut impl BufMut) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(to_u64(length), out);
}

/// Appends the number of a field whose length and bytes follow.
pub(super) fn put_key(field: u32, out: &mut impl BufMut) {
    encode_key(field, WireType::LengthDelimited, out);
}

/// A message behind its length: what stands in a field after the field's number.
pub(super) fn delimited(message: &impl Message) -> Bytes {
    message.encode_length_delimited_to_vec().into()
}

/// A message as a field, with number and length.
pub(super) fn field(number: u32, message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut out = BytesMut::with_capacity(length + 12);
    put_head(number, length, &mut out);
    message.encode_raw(&mut out);
    out.freeze()
}

/// Length of a number as [`put_uint`] writes it, for fields 1 to 15.
pub(super) fn uint_len(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + encoded_len_varint(value) }
}

pub(super) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Writes messages of one kind and reads requests of another.
#[derive(Debug)]
struct SharedCodec<M, R>(PhantomData<fn() -> (M, R)>);

#[derive(Debug)]
struct Writer<M>(PhantomData<fn() -> M>);

#[derive(Debug)]
struct Reader<R>(PhantomData<fn() -> R>);

impl<M: Wire + Send + 'static, R: Message + Default + 'static> Codec for SharedCodec<M, R> {
    type Encode = M;
    type Decode = R;
    type Encoder = Writer<M>;
    type Decoder = Reader<R>;

    fn encoder(&mut self) -> Writer<M> {
        Writer(PhantomData)
    }

    fn decoder(&mut self) -> Reader<R> {
        Reader(PhantomData)
    }
}

impl<M: Wire> Encoder for Writer<M> {
    type Item = M;
    type Error = Status;

    fn encode(&mut self, item: M, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(item.size_hint());
        item.write(out);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, JOINED_BYTES)
    }
}

impl<R: Message + Default> Decoder for Reader<R> {
    type Item = R;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<R>, Status> {
        let wrong = |error: prost::DecodeError| Status::internal(error.to_string());
        R::decode(bytes).map(Some).map_err(wrong)
    }
}

/// What opens a stream for a request.
struct Opening<F>(F);

impl<R, S, M, F> ServerStreamingService<R> for Opening<F>
where
    F: FnMut(R) -> Result<S, Status>,
    S: Stream<Item = Result<M, Status>>,
{
    type Response = M;
    type ResponseStream = S;
    type Future = Ready<Result<Response<S>, Status>>;

    fn call(&mut self, request: Request<R>) -> Self::Future {
        ready((self.0)(request.into_inner()).map(Response::new))
    }
}

/// Answers one request by the stream that `open` makes for it.
pub(super) async fn serve<R, S, M>(
    request: http::Request<Body>,
    open: impl FnMut(R) -> Result<S, Status>,
) -> http::Response<Body>
where
    R: Message + Default + 'static,
    M: Wire + Send + 'static,
    S: Stream<Item = Result<M, Status>> + Send + 'static,
{
    let codec = SharedCodec::<M, R>(PhantomData);
    let mut grpc = Grpc::new(codec).max_decoding_message_size(REQUEST_BYTES_MAX);
    grpc.server_streaming(Opening(open), request).await
}
