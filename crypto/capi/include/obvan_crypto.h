/*
 * The decryptor of obvan's FLV tag encryption, for players in C and C++.
 *
 * Made by cbindgen from the sources beside it; do not edit. See README.md.
 */

#ifndef OBVAN_CRYPTO_H
#define OBVAN_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Flag for obvan_decryptor_new: drop coded frames that were never encrypted, so that
// nobody on the way can slip clear pictures in.
#define OBVAN_REFUSE_CLEAR 1

// Grows when something is changed that a program built with an older header would trip over.
#define OBVAN_ABI 1

// With more decrypted bytes than this waiting to be taken, a decryptor lets no more in.
#define OBVAN_PENDING_MAX 33554432

// What became of a call. Anything but OBVAN_STATUS_OK changed nothing, if not said otherwise.
typedef enum {
  // Done.
  OBVAN_STATUS_OK = 0,
  // A pointer is null or misaligned.
  OBVAN_STATUS_POINTER = 1,
  // A length is out of its range: a key has 16 bytes, a tag's body at most 2^24 - 1.
  OBVAN_STATUS_LENGTH = 2,
  // A number is none of those that are known: a tag's kind, a flag.
  OBVAN_STATUS_ARGUMENT = 3,
  // A key's text is not 32 hex digits.
  OBVAN_STATUS_KEY_TEXT = 4,
  // The stream is not FLV from its first bytes on. Feeding on gives the same again.
  OBVAN_STATUS_NOT_FLV = 5,
  // Too much decrypted data is waiting; take it and feed the same bytes again.
  OBVAN_STATUS_FULL = 6,
  // The stream was finished; nothing more goes in.
  OBVAN_STATUS_FINISHED = 7,
  // A handle works on a stream or on single tags, whichever came first, never on both.
  OBVAN_STATUS_MIXED = 8,
  // A defect of the library. The handle only answers this from now on, and can be freed.
  OBVAN_STATUS_INTERNAL = 9,
} obvan_status;

// What became of a tag.
typedef enum {
  // Clear by the rules, whatever the stream: script tags, sequence headers and the like.
  OBVAN_VERDICT_KIND_EXEMPT = 0,
  // A coded frame that was never encrypted; as it came.
  OBVAN_VERDICT_KIND_CLEAR = 1,
  // A clear coded frame whose literal mark was taken off.
  OBVAN_VERDICT_KIND_LITERAL = 2,
  // Decrypted with key key_id: as it was before encryption, bit for bit.
  OBVAN_VERDICT_KIND_DECRYPTED = 3,
  // There is no key of id key_id; as it came.
  OBVAN_VERDICT_KIND_UNKNOWN_KEY = 4,
  // The key of id key_id is another one than the tag was encrypted under; as it came.
  OBVAN_VERDICT_KIND_WRONG_KEY = 5,
  // Encrypted in a version or mode that this library does not know; as it came.
  OBVAN_VERDICT_KIND_UNSUPPORTED = 6,
  // Encrypted, but torn on the way, see damage; as it came.
  OBVAN_VERDICT_KIND_DAMAGED = 7,
} obvan_verdict_kind;

// How an encrypted tag is damaged.
typedef enum {
  // It is not.
  OBVAN_DAMAGE_NONE = 0,
  // The marker is cut or not as it is written.
  OBVAN_DAMAGE_MARKER = 1,
  // The marker's mode does not go with the place it is in.
  OBVAN_DAMAGE_MODE = 2,
  // The NAL unit lengths do not add up to the body.
  OBVAN_DAMAGE_FRAMING = 3,
  // A start code or a lost escape in the ciphertext.
  OBVAN_DAMAGE_ESCAPE = 4,
  // More encrypted units than there are counters.
  OBVAN_DAMAGE_TOO_MANY_UNITS = 5,
  // In a way that this header has no name for.
  OBVAN_DAMAGE_OTHER = 6,
} obvan_damage;

// Decrypts one stream. Calls from several threads wait for each other.
typedef struct obvan_decryptor obvan_decryptor;

// What was done so far.
typedef struct {
  // Bytes that came in.
  uint64_t bytes_in;
  // Bytes that came out.
  uint64_t bytes_out;
  // Tags that came in.
  uint64_t tags;
  // Script tags, sequence headers and the like, which are never encrypted.
  uint64_t exempt;
  // Coded frames that were clear.
  uint64_t clear;
  // Tags that were decrypted.
  uint64_t decrypted;
  // Tags without a key, or with a wrong one, see obvan_decryptor_locked_keys.
  uint64_t locked;
  // Tags whose encryption was damaged or of an unknown version.
  uint64_t damaged;
  // Tags that were left out, for whatever reason.
  uint64_t dropped;
  // Places where the FLV framing was damaged.
  uint64_t gaps;
  // Bytes skipped there.
  uint64_t skipped;
  // Whether the stream ended within a tag; known once it is finished.
  bool cut_off;
  // Whether every tag was read and came through.
  bool whole;
} obvan_counts;

// A key that was missing or wrong.
typedef struct {
  // Tags that were encrypted under it.
  uint64_t tags;
  // Its id.
  uint8_t id;
} obvan_locked_key;

// What became of a tag, and what to do with it.
typedef struct {
  // What became of it.
  obvan_verdict_kind kind;
  // How it is damaged, if it is.
  obvan_damage damage;
  // The id of its key, where kind speaks of one.
  uint8_t key_id;
  // The version in its marker, of an unsupported one; known are 1 and, of sound, 2.
  uint8_t version;
  // The mode in its marker, of an unsupported one.
  uint8_t mode;
  // Whether a decoder should see it. Not what could not be read, nor pictures that need one
  // of those: false up to the next readable key frame.
  bool pass;
} obvan_verdict;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What was done so far.
//
// # Safety
// decryptor is a live handle or null; counts points to room for one or is null.
obvan_status obvan_decryptor_counts(const obvan_decryptor *decryptor, obvan_counts *counts);

// Which keys were missing or wrong, in rising order of their ids: writes at most capacity
// of them to keys, and sets *count to how many there are, at most 256.
//
// # Safety
// decryptor is a live handle or null; keys points to room for capacity of them, or is
// null where capacity is 0; count points to a size_t or is null.
obvan_status obvan_decryptor_locked_keys(const obvan_decryptor *decryptor,
                                         obvan_locked_key *keys,
                                         size_t capacity,
                                         size_t *count);

// Makes a decryptor without keys. flags: 0, or OBVAN_REFUSE_CLEAR.
// Free it with obvan_decryptor_free.
//
// # Safety
// decryptor points to room for a pointer.
obvan_status obvan_decryptor_new(uint32_t flags, obvan_decryptor **decryptor);

// Frees a decryptor, wipes its keys, and sets the caller's pointer to null.
// Does nothing where either pointer is null already.
//
// # Safety
// *decryptor came from obvan_decryptor_new, was not freed through another pointer, and
// is in no other call.
void obvan_decryptor_free(obvan_decryptor **decryptor);

// Adds a key of 16 bytes, or replaces the one of this id. At any time: before the
// stream, or in the middle of it. The bytes are copied.
//
// # Safety
// decryptor is a live handle or null; key points to len bytes or is null.
obvan_status obvan_decryptor_add_key(obvan_decryptor *decryptor,
                                     uint8_t id,
                                     const uint8_t *key,
                                     size_t len);

// Adds a key from its text, 32 hex digits of either case, as a key file holds it; white
// space around them is skipped. No closing zero is needed.
//
// # Safety
// decryptor is a live handle or null; text points to len bytes or is null.
obvan_status obvan_decryptor_add_key_hex(obvan_decryptor *decryptor,
                                         uint8_t id,
                                         const char *text,
                                         size_t len);

// Forgets a key and all that was derived from it. Not having it is no error.
//
// # Safety
// decryptor is a live handle or null.
obvan_status obvan_decryptor_remove_key(obvan_decryptor *decryptor, uint8_t id);

// The last trouble of this handle with keys or the stream, in words and with its place;
// empty if there was none. Writes at most capacity bytes, a closing zero included, and
// sets *needed to the capacity that all of it needs. The text is UTF-8.
//
// # Safety
// decryptor is a live handle or null; text points to room for capacity bytes, or is null
// where capacity is 0; needed points to a size_t or is null.
obvan_status obvan_decryptor_error_text(const obvan_decryptor *decryptor,
                                        char *text,
                                        size_t capacity,
                                        size_t *needed);

// What was done so far.
//
// # Safety
// decryptor is a live handle or null; counts points to room for one or is null.
obvan_status obvan_decryptor_counts(const obvan_decryptor *decryptor, obvan_counts *counts);

// Which keys were missing or wrong, in rising order of their ids: writes at most capacity
// of them to keys, and sets *count to how many there are, at most 256.
//
// # Safety
// decryptor is a live handle or null; keys points to room for capacity of them, or is
// null where capacity is 0; count points to a size_t or is null.
obvan_status obvan_decryptor_locked_keys(const obvan_decryptor *decryptor,
                                         obvan_locked_key *keys,
                                         size_t capacity,
                                         size_t *count);

// Makes a decryptor without keys. flags: 0, or OBVAN_REFUSE_CLEAR.
// Free it with obvan_decryptor_free.
//
// # Safety
// decryptor points to room for a pointer.
obvan_status obvan_decryptor_new(uint32_t flags, obvan_decryptor **decryptor);

// Frees a decryptor, wipes its keys, and sets the caller's pointer to null.
// Does nothing where either pointer is null already.
//
// # Safety
// *decryptor came from obvan_decryptor_new, was not freed through another pointer, and
// is in no other call.
void obvan_decryptor_free(obvan_decryptor **decryptor);

// Adds a key of 16 bytes, or replaces the one of this id. At any time: before the
// stream, or in the middle of it. The bytes are copied.
//
// # Safety
// decryptor is a live handle or null; key points to len bytes or is null.
obvan_status obvan_decryptor_add_key(obvan_decryptor *decryptor,
                                     uint8_t id,
                                     const uint8_t *key,
                                     size_t len);

// Adds a key from its text, 32 hex digits of either case, as a key file holds it; white
// space around them is skipped. No closing zero is needed.
//
// # Safety
// decryptor is a live handle or null; text points to len bytes or is null.
obvan_status obvan_decryptor_add_key_hex(obvan_decryptor *decryptor,
                                         uint8_t id,
                                         const char *text,
                                         size_t len);

// Forgets a key and all that was derived from it. Not having it is no error.
//
// # Safety
// decryptor is a live handle or null.
obvan_status obvan_decryptor_remove_key(obvan_decryptor *decryptor, uint8_t id);

// The last trouble of this handle with keys or the stream, in words and with its place;
// empty if there was none. Writes at most capacity bytes, a closing zero included, and
// sets *needed to the capacity that all of it needs. The text is UTF-8.
//
// # Safety
// decryptor is a live handle or null; text points to room for capacity bytes, or is null
// where capacity is 0; needed points to a size_t or is null.
obvan_status obvan_decryptor_error_text(const obvan_decryptor *decryptor,
                                        char *text,
                                        size_t capacity,
                                        size_t *needed);

// A status in words: a static text, never null. Takes any number.
const char *obvan_status_text(int32_t status);

// The OBVAN_ABI that the library was built with: compare it with the header's.
uint32_t obvan_abi(void);

// The library's version, as in "1.2.3": a static text.
const char *obvan_version(void);

// Hands in the next bytes of an FLV stream, from its file header on, in pieces of any
// size. What comes out is for obvan_decryptor_take.
//
// A tag that cannot be read (no key, a wrong key, damage) is left out, with all that a
// decoder could not show without it, up to the next key frame; damaged framing is
// skipped up to the next tag. All of it is counted, see obvan_decryptor_counts, and
// none of it is an error.
//
// # Safety
// decryptor is a live handle or null; data points to len bytes or is null.
obvan_status obvan_decryptor_feed(obvan_decryptor *decryptor, const uint8_t *data, size_t len);

// Says that no more bytes come. What is left can be taken, and the counts are final.
// A stream that ends within a tag is no error; the counts say so.
//
// # Safety
// decryptor is a live handle or null.
obvan_status obvan_decryptor_finish(obvan_decryptor *decryptor);

// How many decrypted bytes can be taken now.
//
// # Safety
// decryptor is a live handle or null; pending points to a size_t or is null.
obvan_status obvan_decryptor_pending(const obvan_decryptor *decryptor, size_t *pending);

// Moves decrypted bytes to buffer: a clear FLV stream, cut anywhere. Sets *written to how
// many; 0 means that more must be fed, or, behind obvan_decryptor_finish, the end.
// What came out before an error can still be taken.
//
// # Safety
// decryptor is a live handle or null; buffer points to room for capacity bytes or is
// null; written points to a size_t or is null.
obvan_status obvan_decryptor_take(obvan_decryptor *decryptor,
                                  uint8_t *buffer,
                                  size_t capacity,
                                  size_t *written);

// Decrypts one tag in the caller's buffer. kind is the FLV tag type or RTMP message type:
// 8 audio, 9 video, 18 script. *len is the length of the body, and becomes that of the
// decrypted one, which is never longer. A body that is not decrypted stays as it is.
//
// Hand in all tags of a stream, sequence headers too: they say how NAL units are framed.
// Order, gaps and timestamps do not matter. Give a decoder the tag only if the verdict
// says pass.
//
// # Safety
// decryptor is a live handle or null; body points to *len bytes or is null; len and
// verdict point to one of theirs or are null. None of these overlap.
obvan_status obvan_decryptor_decrypt_tag(obvan_decryptor *decryptor,
                                         uint8_t kind,
                                         uint8_t *body,
                                         size_t *len,
                                         obvan_verdict *verdict);

// A verdict's kind in words: a static text, never null. Takes any number.
const char *obvan_verdict_text(int32_t kind);

// A verdict's damage in words: a static text, never null. Takes any number.
const char *obvan_damage_text(int32_t damage);

// A status in words: a static text, never null. Takes any number.
const char *obvan_status_text(int32_t status);

// The OBVAN_ABI that the library was built with: compare it with the header's.
uint32_t obvan_abi(void);

// The library's version, as in "1.2.3": a static text.
const char *obvan_version(void);

// Hands in the next bytes of an FLV stream, from its file header on, in pieces of any
// size. What comes out is for obvan_decryptor_take.
//
// A tag that cannot be read (no key, a wrong key, damage) is left out, with all that a
// decoder could not show without it, up to the next key frame; damaged framing is
// skipped up to the next tag. All of it is counted, see obvan_decryptor_counts, and
// none of it is an error.
//
// # Safety
// decryptor is a live handle or null; data points to len bytes or is null.
obvan_status obvan_decryptor_feed(obvan_decryptor *decryptor, const uint8_t *data, size_t len);

// Says that no more bytes come. What is left can be taken, and the counts are final.
// A stream that ends within a tag is no error; the counts say so.
//
// # Safety
// decryptor is a live handle or null.
obvan_status obvan_decryptor_finish(obvan_decryptor *decryptor);

// How many decrypted bytes can be taken now.
//
// # Safety
// decryptor is a live handle or null; pending points to a size_t or is null.
obvan_status obvan_decryptor_pending(const obvan_decryptor *decryptor, size_t *pending);

// Moves decrypted bytes to buffer: a clear FLV stream, cut anywhere. Sets *written to how
// many; 0 means that more must be fed, or, behind obvan_decryptor_finish, the end.
// What came out before an error can still be taken.
//
// # Safety
// decryptor is a live handle or null; buffer points to room for capacity bytes or is
// null; written points to a size_t or is null.
obvan_status obvan_decryptor_take(obvan_decryptor *decryptor,
                                  uint8_t *buffer,
                                  size_t capacity,
                                  size_t *written);

// Decrypts one tag in the caller's buffer. kind is the FLV tag type or RTMP message type:
// 8 audio, 9 video, 18 script. *len is the length of the body, and becomes that of the
// decrypted one, which is never longer. A body that is not decrypted stays as it is.
//
// Hand in all tags of a stream, sequence headers too: they say how NAL units are framed.
// Order, gaps and timestamps do not matter. Give a decoder the tag only if the verdict
// says pass.
//
// # Safety
// decryptor is a live handle or null; body points to *len bytes or is null; len and
// verdict point to one of theirs or are null. None of these overlap.
obvan_status obvan_decryptor_decrypt_tag(obvan_decryptor *decryptor,
                                         uint8_t kind,
                                         uint8_t *body,
                                         size_t *len,
                                         obvan_verdict *verdict);

// A verdict's kind in words: a static text, never null. Takes any number.
const char *obvan_verdict_text(int32_t kind);

// A verdict's damage in words: a static text, never null. Takes any number.
const char *obvan_damage_text(int32_t damage);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OBVAN_CRYPTO_H */
