/*
 * Decrypts an FLV file, piece by piece, as a player would a download.
 *
 *     decrypt KEY-FILE IN.flv OUT.flv [KEY-ID]
 *
 * The key file holds 32 hex digits; the key's id is 1 if not given. What was done is
 * told on stderr. Exit 0: all of it came through. 1: something was lost, and what could
 * be read is in OUT. 2: wrong usage, or a file could not be read or written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obvan_crypto.h"

#define PIECE 65536

/* Says what went wrong with a call. */
static int complain(const obvan_decryptor *decryptor, const char *what, obvan_status status)
{
    char words[256] = "";
    size_t needed = 0;

    if (decryptor != NULL)
        (void)obvan_decryptor_error_text(decryptor, words, sizeof words, &needed);
    fprintf(stderr, "decrypt: %s: %s\n", what, words[0] ? words : obvan_status_text(status));
    return 0;
}

/* Reads the key file and hands its text to the decryptor. Returns 1 if that went well. */
static int load_key(obvan_decryptor *decryptor, const char *name, uint8_t id)
{
    char text[128];
    volatile char *wipe = text;
    size_t len, i;
    obvan_status status;
    FILE *file = fopen(name, "rb");

    if (file == NULL) {
        fprintf(stderr, "decrypt: %s: %s\n", name, strerror(errno));
        return 0;
    }
    setvbuf(file, NULL, _IONBF, 0); /* no copy of the key in a buffer */
    len = fread(text, 1, sizeof text, file);
    fclose(file);
    status = obvan_decryptor_add_key_hex(decryptor, id, text, len);
    for (i = 0; i < sizeof text; i++)
        wipe[i] = 0;
    return status == OBVAN_STATUS_OK ? 1 : complain(decryptor, name, status);
}

/* Writes all that is ready to OUT. Returns 1 if that went well. */
static int drain(obvan_decryptor *decryptor, FILE *out, const char *name)
{
    uint8_t clear[PIECE];
    size_t len;

    for (;;) {
        obvan_status status = obvan_decryptor_take(decryptor, clear, sizeof clear, &len);
        if (status != OBVAN_STATUS_OK)
            return complain(decryptor, name, status);
        if (len == 0)
            return 1;
        if (fwrite(clear, 1, len, out) != len) {
            fprintf(stderr, "decrypt: %s: %s\n", name, strerror(errno));
            return 0;
        }
    }
}

/* Returns the exit code, 0 also where tags were lost: the counts tell. */
static int run(obvan_decryptor *decryptor, FILE *in, const char *in_name, FILE *out, const char *out_name)
{
    uint8_t piece[PIECE];
    obvan_status status;
    size_t len;

    while ((len = fread(piece, 1, sizeof piece, in)) > 0) {
        status = obvan_decryptor_feed(decryptor, piece, len);
        if (status != OBVAN_STATUS_OK) {
            complain(decryptor, in_name, status);
            return 1;
        }
        if (!drain(decryptor, out, out_name))
            return 2;
    }
    if (ferror(in)) {
        fprintf(stderr, "decrypt: %s: %s\n", in_name, strerror(errno));
        return 2;
    }
    status = obvan_decryptor_finish(decryptor);
    if (status != OBVAN_STATUS_OK) {
        complain(decryptor, in_name, status);
        return 1;
    }
    return drain(decryptor, out, out_name) ? 0 : 2;
}

/* Tells the figures. Returns whether everything came through. */
static bool report(const obvan_decryptor *decryptor)
{
    obvan_counts counts;
    obvan_locked_key locked[256];
    size_t keys = 0, i;

    if (obvan_decryptor_counts(decryptor, &counts) != OBVAN_STATUS_OK)
        return false;
    fprintf(stderr, "decrypt: %" PRIu64 " tags: %" PRIu64 " decrypted, %" PRIu64 " clear, %" PRIu64 " headers\n",
            counts.tags, counts.decrypted, counts.clear, counts.exempt);
    if (obvan_decryptor_locked_keys(decryptor, locked, 256, &keys) == OBVAN_STATUS_OK)
        for (i = 0; i < keys; i++)
            fprintf(stderr, "decrypt: no key %u, or a wrong one, for %" PRIu64 " tags\n",
                    (unsigned)locked[i].id, locked[i].tags);
    if (counts.damaged > 0)
        fprintf(stderr, "decrypt: %" PRIu64 " tags were damaged\n", counts.damaged);
    if (counts.gaps > 0)
        fprintf(stderr, "decrypt: %" PRIu64 " bytes skipped in %" PRIu64 " places\n", counts.skipped, counts.gaps);
    if (counts.cut_off)
        fprintf(stderr, "decrypt: the stream ends within a tag\n");
    if (counts.dropped > 0)
        fprintf(stderr, "decrypt: %" PRIu64 " tags were left out\n", counts.dropped);
    return counts.whole;
}

int main(int argc, char **argv)
{
    obvan_decryptor *decryptor = NULL;
    obvan_status status;
    FILE *in = NULL, *out = NULL;
    char *end = NULL;
    long id = 1;
    int code = 2;

    if (argc == 5)
        id = strtol(argv[4], &end, 10);
    if (argc < 4 || argc > 5 || (end != NULL && (end == argv[4] || *end != '\0')) || id < 0 || id > 255) {
        fprintf(stderr, "usage: decrypt KEY-FILE IN.flv OUT.flv [KEY-ID]\n");
        return 2;
    }
    if (obvan_abi() != OBVAN_ABI) {
        fprintf(stderr, "decrypt: the library (%s) does not go with its header\n", obvan_version());
        return 2;
    }
    status = obvan_decryptor_new(0, &decryptor);
    if (status != OBVAN_STATUS_OK) {
        complain(NULL, "decryptor", status);
        return 2;
    }
    if (load_key(decryptor, argv[1], (uint8_t)id)) {
        if ((in = fopen(argv[2], "rb")) == NULL)
            fprintf(stderr, "decrypt: %s: %s\n", argv[2], strerror(errno));
        else if ((out = fopen(argv[3], "wb")) == NULL)
            fprintf(stderr, "decrypt: %s: %s\n", argv[3], strerror(errno));
        else
            code = run(decryptor, in, argv[2], out, argv[3]);
    }
    if (in != NULL)
        fclose(in);
    if (out != NULL && fclose(out) != 0) {
        fprintf(stderr, "decrypt: %s: %s\n", argv[3], strerror(errno));
        code = 2;
    }
    if (code == 0 && !report(decryptor))
        code = 1;
    obvan_decryptor_free(&decryptor);
    return code;
}
