/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/region.h"

static unsigned int height_of(const struct region *t)
{
	return t != NULL ? t->height : 0;
}

static void update(struct region *t)
{
	unsigned int left = height_of(t->left), right = height_of(t->right);

	t->height = (uint8_t)(1 + (left > right ? left : right));
	t->first = t->start;
	t->last = t->end;
	t->gap = 0;
	if (t->left != NULL) {
		t->first = t->left->first;
		t->gap = max_u64(t->left->gap, t->start - t->left->last);
	}
	if (t->right != NULL) {
		t->last = t->right->last;
		t->gap = max_u64(t->gap, max_u64(t->right->gap, t->right->first - t->end));
	}
}

static struct region *rotate_right(struct region *t)
{
	struct region *top = t->left;

	t->left = top->right;
	top->right = t;
	update(t);
	update(top);
	return top;
}

static struct region *rotate_left(struct region *t)
{
	struct region *top = t->right;

	t->right = top->left;
	top->left = t;
	update(t);
	update(top);
	return top;
}

/* Makes T right again after one of its subtrees changed its height by one at most. */
static struct region *balance(struct region *t)
{
	unsigned int left = height_of(t->left), right = height_of(t->right);

	if (left > right + 1) {
		if (height_of(t->left->left) < height_of(t->left->right))
			t->left = rotate_left(t->left);
		return rotate_right(t);
	}
	if (right > left + 1) {
		if (height_of(t->right->right) < height_of(t->right->left))
			t->right = rotate_right(t->right);
		return rotate_left(t);
	}
	update(t);
	return t;
}

static struct region *insert(struct region *t, struct region *region)
{
	if (t == NULL) {
		region->left = NULL;
		region->right = NULL;
		update(region);
		return region;
	}
	if (region->start < t->start)
		t->left = insert(t->left, region);
	else
		t->right = insert(t->right, region);
	return balance(t);
}

static struct region *remove_first(struct region *t, struct region **first)
{
	if (t->left == NULL) {
		*first = t;
		return t->right;
	}
	t->left = remove_first(t->left, first);
	return balance(t);
}

static struct region *remove(struct region *t, struct region *region)
{
	struct region *top;

	if (region != t) {
		if (region->start < t->start)
			t->left = remove(t->left, region);
		else
			t->right = remove(t->right, region);
		return balance(t);
	}
	if (t->left == NULL)
		return t->right;
	if (t->right == NULL)
		return t->left;
	t->right = remove_first(t->right, &top);
	top->left = t->left;
	top->right = t->right;
	return balance(top);
}

static void update_path(struct region *t, const struct region *region)
{
	if (t != region)
		update_path(region->start < t->start ? t->left : t->right, region);
	update(t);
}

struct region *region_at_or_above(const struct region_tree *tree, user_addr_t address)
{
	struct region *best = NULL;
	struct region *t = tree->root;

	while (t != NULL) {
		if (t->end <= address) {
			t = t->right;
		} else {
			best = t;
			if (t->start <= address)
				break;
			t = t->left;
		}
	}
	return best;
}

struct region *region_at(const struct region_tree *tree, user_addr_t address)
{
	struct region *region = region_at_or_above(tree, address);

	return region != NULL && region->start <= address ? region : NULL;
}

void region_insert(struct region_tree *tree, struct region *region)
{
	tree->root = insert(tree->root, region);
	tree->count++;
	tree->bytes += region->end - region->start;
}

void region_remove(struct region_tree *tree, struct region *region)
{
	tree->root = remove(tree->root, region);
	tree->count--;
	tree->bytes -= region->end - region->start;
}

void region_resize(struct region_tree *tree, struct region *region, user_addr_t start,
		   user_addr_t end)
{
	tree->bytes += (end - start) - (region->end - region->start);
	region->start = start;
	region->end = end;
	update_path(tree->root, region);
}

/* BEFORE and AFTER: where the neighbours of all of T end and start. */
static user_addr_t highest_gap(const struct region *t, user_addr_t before, user_addr_t after,
			       uint64_t size, user_addr_t low, user_addr_t high)
{
	user_addr_t found;

	if (before >= high || after <= low || after - before < size)
		return 0;
	if (t == NULL) {
		before = max_u64(before, low);
		after = min_u64(after, high);
		return after > before && after - before >= size ? after : 0;
	}
	if (max_u64(t->gap, max_u64(t->first - before, after - t->last)) < size)
		return 0;
	found = highest_gap(t->right, t->end, after, size, low, high);
	if (found != 0)
		return found;
	return highest_gap(t->left, before, t->start, size, low, high);
}

user_addr_t region_highest_gap(const struct region_tree *tree, uint64_t size, user_addr_t low,
			       user_addr_t high)
{
	return highest_gap(tree->root, 0, UINT64_MAX, size, low, high);
}
