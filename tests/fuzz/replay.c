// SPDX-License-Identifier: Apache-2.0
// replay FOLDER...: gives each file of the folders to the target that it is linked with.
#include <dirent.h>

#include "common/mapped_file.h"
#include "tests/fuzz/target.h"

enum { PATH_BYTES = 4096 };

static void run_file(const char *path)
{
    struct btk_mapped_file file;
    struct btk_error error;
    CHECK(btk_mapped_file_map(path, SIZE_MAX, &file, &error) == 0, path);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(file.data, file.length);
    btk_mapped_file_unmap(&file);
}

static unsigned run_folder(const char *name)
{
    char path[PATH_BYTES];
    unsigned count = 0;
    DIR *const folder = opendir(name);
    CHECK(folder, name);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        CHECK(snprintf(path, sizeof path, "%s/%s", name, entry->d_name) < PATH_BYTES, "a name");
        run_file(path);
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) count += run_folder(argv[i]);
    printf("%u inputs\n", count);
    return count ? 0 : 1;
}
