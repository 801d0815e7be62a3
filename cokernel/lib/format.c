/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/print.h"
#include "lib/string.h"

struct output {
	char *text;
	size_t size;
	size_t length; /* of all that was to be written, whether it fitted or not */
};

struct field {
	bool left;
	bool zeros;
	size_t width;
	size_t precision; /* SIZE_MAX: none given */
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->text[out->length] = c;
	out->length++;
}

static void put_padding(struct output *out, char c, size_t used, size_t width)
{
	for (; used < width; used++)
		put(out, c);
}

static void put_text(struct output *out, const struct field *field, const char *text, size_t length)
{
	if (!field->left)
		put_padding(out, ' ', length, field->width);
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	if (field->left)
		put_padding(out, ' ', length, field->width);
}

static void put_number(struct output *out, const struct field *field, uint64_t value, bool negative,
		       unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (negative && field->zeros && !field->left) {
		put(out, '-');
		put_padding(out, '0', sizeof(digits) - at + 1, field->width);
		negative = false;
	} else if (field->zeros && !field->left) {
		put_padding(out, '0', sizeof(digits) - at, field->width);
	}
	if (negative)
		digits[--at] = '-';
	if (field->zeros && !field->left)
		for (; at < sizeof(digits); at++)
			put(out, digits[at]);
	else
		put_text(out, field, digits + at, sizeof(digits) - at);
}

static size_t read_width(const char **format)
{
	size_t width = 0;

	while (**format >= '0' && **format <= '9')
		width = width * 10 + (size_t)(*(*format)++ - '0');
	return width;
}

/* Cuts VALUE to the type that the length says: 8, 16, 32 or 64 bits. */
static uint64_t cut(uint64_t value, unsigned int bits, bool is_signed)
{
	unsigned int shift = 64 - bits;

	if (is_signed)
		return (uint64_t)((int64_t)(value << shift) >> shift);
	return value << shift >> shift;
}

static unsigned int read_length(const char **format)
{
	unsigned int bits = 32;

	for (;; (*format)++) {
		if (**format == 'l' || **format == 'z')
			bits = 64;
		else if (**format == 'h')
			bits /= 2;
		else
			return bits;
	}
}

/* One conversion, behind its '%'. Returns what follows it. */
static const char *convert(struct output *out, const char *format, va_list *args)
{
	struct field field = { .precision = SIZE_MAX };
	unsigned int bits;
	uint64_t value;
	const char *text;
	char c;

	for (;; format++) {
		if (*format == '-')
			field.left = true;
		else if (*format == '0')
			field.zeros = true;
		else
			break;
	}
	if (*format == '*') {
		field.width = (size_t)(unsigned int)va_arg(*args, int);
		format++;
	} else {
		field.width = read_width(&format);
	}
	if (*format == '.') {
		format++;
		if (*format == '*') {
			field.precision = (size_t)(unsigned int)va_arg(*args, int);
			format++;
		} else {
			field.precision = read_width(&format);
		}
	}
	bits = read_length(&format);

	switch (*format) {
	case 'd':
		value = bits == 64 ? (uint64_t)va_arg(*args, long) :
				     cut((uint64_t)va_arg(*args, int), bits, true);
		if ((int64_t)value < 0)
			put_number(out, &field, 0 - value, true, 10);
		else
			put_number(out, &field, value, false, 10);
		break;
	case 'u':
	case 'x':
		value = bits == 64 ? va_arg(*args, unsigned long) :
				     cut(va_arg(*args, unsigned int), bits, false);
		put_number(out, &field, value, false, *format == 'x' ? 16 : 10);
		break;
	case 'p':
		field.zeros = true;
		field.width = 16;
		put_number(out, &field, (uint64_t)va_arg(*args, void *), false, 16);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		put_text(out, &field, &c, 1);
		break;
	case 's':
		text = va_arg(*args, const char *);
		if (text == NULL)
			text = "(null)";
		put_text(out, &field, text, strnlen(text, field.precision));
		break;
	case '%':
		put(out, '%');
		break;
	case '\0':
		return format;
	default: /* show what was not understood: it is a bug of the caller */
		put(out, '%');
		put(out, *format);
		break;
	}
	return format + 1;
}

int format_text_args(char *text, size_t size, const char *format, va_list args)
{
	struct output out = { .text = text, .size = size };
	va_list copy;

	va_copy(copy, args);
	while (*format != '\0') {
		if (*format != '%')
			put(&out, *format++);
		else
			format = convert(&out, format + 1, &copy);
	}
	va_end(copy);
	if (size > 0)
		text[out.length < size ? out.length : size - 1] = '\0';
	return (int)out.length;
}

int format_text(char *text, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = format_text_args(text, size, format, args);
	va_end(args);
	return length;
}
